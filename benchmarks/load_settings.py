"""The settings of the shop under load: as a production runs, with recipes given, so that a fit takes seconds."""

from __future__ import annotations

from shop_reco.settings.base import env
from tests.faults.settings import *
from tests.faults.settings import SHOP_RECO

from .serving_settings import SHOP_RECO as BENCHMARKS

DEBUG = False
SHOP_RECO = {
    **SHOP_RECO,
    "DEMO_SWITCHER": False,
    "TRAINING_NICENESS": 10,
    "RATE_SERVER": 1,  # FAULTS_RATE_POINTS and FAULTS_RATE_REFILL are those of the one server that sends
    "RECOMMENDERS": {
        **BENCHMARKS["RECOMMENDERS"],
        "behaviour_mlp": {**BENCHMARKS["RECOMMENDERS"]["behaviour_mlp"], "n_epochs": env.int("FAULTS_EPOCHS", 2)},
    },
}
