"""The demo's settings with a short lease, and the broker under test."""

from __future__ import annotations

from shop_reco.queues import MAINTENANCE, broker_transport_options, task_queues, task_routes
from shop_reco.settings.base import env
from shop_reco.settings.demo import *
from shop_reco.settings.demo import DATABASES, INSTALLED_APPS, SHOP_RECO

SHOP_RECO = {
    **SHOP_RECO,
    "LEASE": env.float("FAULTS_LEASE", 3.0),
    "TRAINING_NICENESS": 0,
    "TRAINING_PROCESS": env.bool("FAULTS_TRAINING_PROCESS", True),
    "TRAINING_MEMORY_MB": env.int("FAULTS_MEMORY_MB", 0) or None,
    "MIN_SUPPORT": 1,
    "RATE_POINTS": env.int("FAULTS_RATE_POINTS", 0),
    "RATE_REFILL": env.float("FAULTS_RATE_REFILL", 100.0),
    "RATE_SERVER": env.int("FAULTS_RATE_SERVER", 100),
    "RATE_REDIS": env.str("FAULTS_RATE_REDIS", ""),
    "IMPORT_BATCH": 500,
    "BODY_BYTES": env.int("FAULTS_BODY_BYTES", 262_144),
    "RECOMMENDERS": {"behaviour_mlp": {"n_epochs": env.int("FAULTS_EPOCHS", 2), "patience": None}},
}
if "FAULTS_STEP_FILE" in env:
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.harm.Harm"]
if "FAULTS_COMMIT_PAUSE" in env:
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.pauses.Pauses"]
if "FAULTS_MIGRATIONS" in env:
    MIGRATION_MODULES = env.dict("FAULTS_MIGRATIONS")
CELERY_IMPORTS = ["tests.faults.poison"]
DEBUG = env.bool("FAULTS_DEBUG", True)
if "FAULTS_BODY_BYTES" in env:
    DATA_UPLOAD_MAX_MEMORY_SIZE = None  # Django's own guard behind ours
if "FAULTS_SYNCHRONOUS" in env:
    synchronous = f"PRAGMA synchronous={env.str('FAULTS_SYNCHRONOUS')};"
    DATABASES["default"]["OPTIONS"]["init_command"] += synchronous
if "FAULTS_DATABASE_URL" in env:
    DATABASES = {"default": env.db("FAULTS_DATABASE_URL")}
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    if "FAULTS_PATIENCE" in env:
        DATABASES["default"] |= {"ENGINE": "shop_reco.patient", "OPTIONS": {"patience": env.float("FAULTS_PATIENCE")}}
if "FAULTS_BROKER_URL" in env:  # spoken to as in production
    CELERY_BROKER_URL = env.str("FAULTS_BROKER_URL")
    CELERY_BROKER_TRANSPORT_OPTIONS = broker_transport_options(CELERY_BROKER_URL)
    CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
    CELERY_BROKER_HEARTBEAT = 10
    CELERY_TASK_QUEUES = task_queues(env.str("FAULTS_QUEUE"))
    CELERY_TASK_ROUTES = task_routes(env.str("FAULTS_QUEUE"))
    CELERY_TASK_DEFAULT_QUEUE = env.str("FAULTS_QUEUE") + MAINTENANCE
