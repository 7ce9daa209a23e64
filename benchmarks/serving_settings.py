"""The settings of the benchmarks' own shops: all of it under one folder, run as a production is.

The recipes are given, so that a fit searches nothing and takes seconds.
"""

from __future__ import annotations

from shop_reco.settings.base import env
from shop_reco.settings.demo import *
from shop_reco.settings.demo import SHOP_RECO

from .serving_shop import METRICS_TOKEN

DEBUG = False
ROOT_URLCONF = env.str("BENCH_URLS", default="benchmarks.serving_floor")
SHOP_RECO = {
    **SHOP_RECO,
    "DEMO_SWITCHER": False,
    "METRICS_TOKEN": METRICS_TOKEN,
    "RATE_POINTS": 0,
    "RECOMMENDERS": {
        "popularity": {"half_life": 120.0},
        "item_cf": {
            "activity": 0.5,
            "source_exponent": 0.5,
            "target_exponent": 0.3,
            "half_life": 180.0,
            "history_half_life": 60.0,
            "spectral_weight": 0.0,
            "n_targets": 200,
        },
        "user_cf": {
            "n_neighbours": 400,
            "popularity_exponent": 0.25,
            "target_exponent": 0.3,
            "activity": 0.0,
            "half_life": 120.0,
            "history_half_life": 120.0,
        },
        "behaviour_mlp": {
            "n_epochs": env.int("BENCH_EPOCHS", 2),
            "patience": None,
            "n_factors": 64,
            "temperature": 0.1,
        },
        "content_mlp": {"n_epochs": 1},
    },
}
if "BENCH_DATABASE_URL" in env:
    DATABASES = {"default": env.db("BENCH_DATABASE_URL")}
    DATABASES["default"]["CONN_MAX_AGE"] = 60
