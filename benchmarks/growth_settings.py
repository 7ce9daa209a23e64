"""The settings of the shop that grows: those of the benchmarks, on the database of a shop of processes."""

from __future__ import annotations

from benchmarks.serving_settings import *
from shop_reco.settings.base import env

DATABASES = {"default": env.db("FAULTS_DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
