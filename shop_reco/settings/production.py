"""Production: every address and secret comes from the environment; see .env.example."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from shop_reco.conf import CACHE_TABLE, SECOND_FACTORS
from shop_reco.queues import broker_transport_options

from .base import *
from .base import env
from .postgresql import for_this_process

logging.captureWarnings(True)  # they become lines like all others
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS"), "127.0.0.1"]  # the container asks itself whether it is healthy
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATABASES = {"default": for_this_process(env.db("DATABASE_URL"), env)}
CELERY_BROKER_URL = env.address("BROKER_URL", ("redis", "rediss", "amqp", "amqps", "memory"))
CELERY_BROKER_TRANSPORT_OPTIONS = broker_transport_options(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
CELERY_BROKER_HEARTBEAT = 10  # of RabbitMQ: a worker that was cut off, not killed, loses its tasks to another
REDIS_URL = env.address("REDIS_URL", ("redis", "rediss", "unix"), default="")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "shop_reco.steady_cache.SteadyCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": CACHE_TABLE}}
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="/srv/static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SHOP_RECO = {
    "ARTIFACTS_ROOT": Path(env.str("ARTIFACTS_ROOT", default="/srv/artifacts")),
    "PRIVACY_ROOT": env("PRIVACY_ROOT", cast=Path, default=None),
    "SHOP_TIME_ZONE": env.str("SHOP_TIME_ZONE", default="UTC"),
    "CURRENCY": env.str("CURRENCY", default="USD"),
    "RATE_REDIS": REDIS_URL,
    "RATE_TRUSTED": 1 if BEHIND_PROXY else 0,  # else all visitors would be one address, the proxy's
    "STAFF_SECOND_FACTOR": env.one_of("STAFF_SECOND_FACTOR", SECOND_FACTORS, default="off"),
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
    "TENSORBOARD_ROOT": env("TENSORBOARD_ROOT", cast=Path, default=None),
    "KAFKA_BROKERS": env.str("KAFKA_BROKERS", default=""),
    "KAFKA_TOPIC": env.str("KAFKA_TOPIC", default=""),
    "KAFKA_CONSENT": env.list("KAFKA_CONSENT", default=[]),
    "KAFKA_OPTIONS": env.get_value("KAFKA_OPTIONS", cast=json.loads, default={}),
    **env.reco(),
}

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
