"""The tests' settings for a process that trains: the shop is that of the test which started it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from shop_reco.settings.test import *  # noqa: F403
from shop_reco.settings.test import DATABASES, SHOP_RECO

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
SHOP_RECO = {
    **SHOP_RECO,
    "ARTIFACTS_ROOT": Path(os.environ["WORKER_ARTIFACTS"]),
    "RECOMMENDERS": json.loads(os.environ["WORKER_RECOMMENDERS"]),
    "TRAINING_NICENESS": 0,
}
