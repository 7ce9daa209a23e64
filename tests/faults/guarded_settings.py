"""The settings of the fault tests as a production runs: no DEBUG, nobody shops as somebody else."""

from __future__ import annotations

from shop_reco.settings.base import env
from tests.faults.settings import *
from tests.faults.settings import LOGGING, SHOP_RECO

DEBUG = False
ROOT_URLCONF = "tests.faults.breaking"
CELERY_IMPORTS = ["tests.faults.breaking"]
SHOP_RECO = {**SHOP_RECO, "DEMO_SWITCHER": False, "METRICS_TOKEN": env.str("FAULTS_METRICS_TOKEN", default="")}
if env.bool("FAULTS_PLAIN_LOGS", default=False):
    LOGGING = {**LOGGING, "formatters": {"json": {"format": "%(name)s %(message)s"}}}
if "FAULTS_HASH_ROUNDS" in env:
    PASSWORD_HASHERS = ["tests.faults.hashers.QuickHasher"]
