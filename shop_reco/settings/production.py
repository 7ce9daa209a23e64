"""Production: every address and secret comes from the environment; see .env.example."""

from __future__ import annotations

import logging
from pathlib import Path

from .base import *
from .base import env
from .postgresql import for_this_process

logging.captureWarnings(True)  # they become lines like all others
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS"), "127.0.0.1"]  # the container asks itself whether it is healthy
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATABASES = {"default": for_this_process(env.db("DATABASE_URL"), env)}
CELERY_BROKER_URL = env.str("BROKER_URL")
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="/srv/static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
SHOP_RECO = {
    "ARTIFACTS_ROOT": Path(env.str("ARTIFACTS_ROOT", default="/srv/artifacts")),
    "PRIVACY_ROOT": env("PRIVACY_ROOT", cast=Path, default=None),
    "SHOP_TIME_ZONE": env.str("SHOP_TIME_ZONE", default="UTC"),
    "CURRENCY": env.str("CURRENCY", default="USD"),
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
    "TENSORBOARD_ROOT": env("TENSORBOARD_ROOT", cast=Path, default=None),
}

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
