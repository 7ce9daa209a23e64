"""What every way of running the project shares; the environment decides the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext_lazy as _

from shop_reco.conf import APPS
from shop_reco.logs import STAMPED, json_lines, of_no_flood, told_exception
from shop_reco.queues import MAINTENANCE, ONCE_MORE, task_queues, task_routes

from .environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Environment()
if (BASE_DIR / ".env").exists():
    env.read_env(str(BASE_DIR / ".env"))

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "import_export",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    *APPS,
]

MIDDLEWARE = [
    "shop_reco.monitoring.requests.request_ids",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop_reco.urls"
WSGI_APPLICATION = "shop_reco.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # the error pages lie beside the settings: a host project that installs the plugin keeps its own
        "DIRS": [BASE_DIR / "templates", Path(__file__).resolve().parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]


def sqlite_database(path: Path) -> dict[str, Any]:
    """A SQLite file whose acknowledged writes survive a power cut, and whose writers queue fairly."""
    return {
        "ENGINE": "shop_reco.settings.sqlite",
        "NAME": path,
        "CONN_MAX_AGE": None,  # opening it anew for each request would empty its page cache
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                # What is mapped needs no copy: 2 GB, the most that SQLite maps. Each thread's cache is for the rest:
                # 16 MB, as much as the log of writes holds.
                "PRAGMA mmap_size=2147418112; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; "
                "PRAGMA wal_autocheckpoint=4000;"  # 16 MB: under one commit in a hundred waits for it
            ),
        },
    }


def file_system_broker(folder: Path) -> dict[str, Any]:
    """Celery's broker in a folder: no service to start."""
    queue, control = folder / "queue", folder / "control"
    for each in (queue, control):
        each.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
    }


CELERY_RESULT_BACKEND = "shop_reco.steady_results:SteadyResults"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_QUEUES = task_queues()
CELERY_TASK_ROUTES = task_routes()
CELERY_TASK_DEFAULT_QUEUE = MAINTENANCE
CELERY_TASK_PUBLISH_RETRY_POLICY = ONCE_MORE
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_RETRY_ON_WORKER_LOST = True  # first: it counts, so that what kills each worker is not tried for ever
CELERY_TASK_TRACK_STARTED = True
CELERY_WORKER_LOST_WAIT = 2.0  # seconds in which a result of a process that died may still come
CELERY_WORKER_REDIRECT_STDOUTS = False  # a traceback would be logged a character at a time
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "shop_reco.steady_beat:SteadyScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for as long as it takes

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": json_lines}},
    "filters": {"floods": {"()": "django.utils.log.CallbackFilter", "callback": of_no_flood}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.one_of("LOG_LEVEL", LOG_LEVELS, default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},  # Django's own mail requests and locals to ADMINS
        "django.db.backends": {"level": "INFO"},  # below it each statement is logged with its values
        "django.request": {"filters": ["floods"]},
    },
}
structlog.configure(
    processors=[*STAMPED, told_exception, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
