"""For the tests: SQLite in a file by default, PostgreSQL when TEST_DATABASE_URL names one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .base import *
from .base import env, file_system_broker, sqlite_database

_folder = Path(tempfile.mkdtemp(prefix="shop-reco-test-"))

DEBUG = False
SECRET_KEY = "only for tests"  # noqa: S105
ALLOWED_HOSTS = ["*"]
if "TEST_DATABASE_URL" in env:
    DATABASES = {"default": env.db("TEST_DATABASE_URL")}
else:
    DATABASES = {"default": sqlite_database(_folder / "db.sqlite3")}
    DATABASES["default"]["TEST"] = {"NAME": _folder / "test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = file_system_broker(_folder / "broker")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # else each client of a test looks through all static files first
SHOP_RECO = {
    "ARTIFACTS_ROOT": _folder / "artifacts",
    "SLATE_BUFFER": 0,
    "MIN_SUPPORT": 1,
    "TRAINING_PROCESS": False,
    "CONTROL_SHARE": 0.0,
    "RATE_POINTS": 0,
    "KEY_NOTED": 0.0,
}
