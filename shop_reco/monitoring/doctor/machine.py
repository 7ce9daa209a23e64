"""What lies on this machine: settings, secrets, packages, the cache, and who can read the files."""

from __future__ import annotations

import shutil
import stat
import uuid
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.cache import cache
from django.db import connection

from shop_reco.conf import reco_settings

from .findings import Finding, failing, ok, warning

SHORTEST, FEWEST = 50, 5
"""Characters of a secret, and different ones among them."""


def settings_are_sound() -> Finding:
    """What manage.py check says, with --deploy where DEBUG is off."""
    told = checks.run_checks(include_deployment_checks=not settings.DEBUG)
    told = [each for each in told if not each.is_silenced()]
    errors = [each for each in told if each.is_serious()]
    command = "manage.py check" if settings.DEBUG else "manage.py check --deploy"
    if errors:
        return failing(f"{len(errors)} errors, first {errors[0].id}: {errors[0].msg}", f"Run: {command}")
    if settings.DEBUG:
        return warning(
            "DEBUG is on", "Turn it off where shoppers come: the settings shop_reco.settings.production have it off."
        )
    if told:
        return warning(f"{len(told)} warnings, first {told[0].id}: {told[0].msg}", f"Run: {command}")
    return ok("nothing to say")


def secrets_are_long() -> Finding:
    """Whoever guesses SECRET_KEY signs in as anyone."""
    secret = settings.SECRET_KEY
    if len(secret) >= SHORTEST and len(set(secret)) >= FEWEST and not secret.startswith("django-insecure-"):
        return ok(f"SECRET_KEY has {len(secret)} characters")
    found = f"SECRET_KEY has {len(secret)} characters, {len(set(secret))} different ones"
    advice = (
        'Set another: python -c "import secrets; print(secrets.token_urlsafe(48))". The old one in '
        "SECRET_KEY_FALLBACKS keeps those who are signed in."
    )
    return warning(found, advice) if settings.DEBUG else failing(found, advice)


def packages_are_there() -> Finding:
    """Those that the settings want; found, not imported."""
    reco = reco_settings()
    spark = getattr(reco, "TRAINING_BACKEND", "") == "spark" or getattr(reco, "SPARK_ABOVE", None) is not None
    if spark and not _installed("pyspark"):
        return failing("Spark is to train, and pyspark is not there", 'Run: pip install "shop-reco[spark]"')
    if spark and shutil.which("java") is None:
        return failing("Spark is to train, and there is no Java", "Install a JRE of version 17, and have java on PATH.")
    if not _installed("torch"):
        return warning(
            "torch is not there: the two networks are not trained here", 'Run: pip install "shop-reco[train]"'
        )
    if (
        connection.vendor == "postgresql"
        and "pool" in connection.settings_dict["OPTIONS"]
        and not _installed("psycopg_pool")
    ):
        return failing("psycopg_pool is not there", 'Run: pip install "psycopg[binary,pool]"')
    return ok("torch, pyspark and Java" if spark else "torch")


def cache_answers() -> Finding:
    """What is put into the cache comes out of it."""
    name, value = f"shop_reco.doctor.{uuid.uuid4().hex}", uuid.uuid4().hex
    backend = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    try:
        cache.set(name, value, 10)
        came = cache.get(name)
        cache.delete(name)
    except Exception as error:  # each backend raises errors of its own
        return failing(f"{backend} says {type(error).__name__}", "Start it, and see what CACHES says of where it is.")
    if came != value:
        return warning(
            f"{backend} does not keep what it is given", "See what CACHES says: a dummy, or one that is full or away?"
        )
    return ok(backend)


def files_are_private() -> Finding:
    """Only their owner reads secrets and what names shoppers; nobody else writes models."""
    open_ = [str(path) for path in _private() if path.exists() and path.stat().st_mode & stat.S_IROTH]
    root = reco_settings().ARTIFACTS_ROOT
    written = [str(root)] if root.exists() and root.stat().st_mode & stat.S_IWOTH else []
    if open_ or written:
        found = (
            f"everybody on this machine can read {', '.join(open_)}" if open_ else f"everybody can write {written[0]}"
        )
        return failing(found, "Run: chmod -R o-rwx " + " ".join([*open_, *written]))
    return ok("secrets, exports and models are closed to others")


def _private() -> list[Path]:
    reco = reco_settings()
    privacy = reco.PRIVACY_ROOT or reco.ARTIFACTS_ROOT / "privacy"
    found = [privacy, *(privacy.rglob("*") if privacy.is_dir() else ())]
    if base := getattr(settings, "BASE_DIR", None):
        found.append(Path(base) / ".env")
    return found


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
