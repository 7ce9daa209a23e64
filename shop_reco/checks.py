"""What is told at start when the settings are wrong."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from reco_engine.data.cleaning_settings import faults
from reco_engine.spark.needs import lacking

from .conf import SECOND_FACTORS, RecoSettings, reco_settings

SHORTEST_TOKEN = 16
LEAST_RECORD = 365
"""Days."""
BACKENDS = ("numpy", "spark")
FACTOR_APPS = ("django_otp", "django_otp.plugins.otp_totp", "django_otp.plugins.otp_static")
"""What a second factor of staff needs in INSTALLED_APPS."""


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Every SHOP_RECO key and rule of cleaning exists and its number makes sense; the demo switcher needs DEBUG."""
    try:
        reco = reco_settings()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="shop_reco.E001")]
    messages: list[CheckMessage] = [
        Error(f"SHOP_RECO['{name}'] must be above zero.", id="shop_reco.E002")
        for name in (
            "HISTORY_EVENTS",
            "BATCH_EVENTS",
            "RETENTION_DAYS",
            "PAGE_ITEMS",
            "CANDIDATES",
            "LEASE",
            "VISITOR_DAYS",
            "DESCRIPTION_CHARACTERS",
            "UPSERT_ROWS",
            "WEBHOOK_WINDOW",
            "WEBHOOK_RETRIES",
            "WEBHOOK_BYTES",
            "WEBHOOK_DAYS",
            "WEBHOOK_REFUSALS",
            "EXPORT_DAYS",
            "REJECTED_DAYS",
            "ANONYMOUS_DAYS",
            "CREDIT_DAYS",
            "ANSWER_DAYS",
            "QUERY_BYTES",
            "QUERY_TOKENS",
            "QUERY_DEPTH",
            "QUERY_OBJECTS",
            "QUERY_OBJECTS_TRUSTED",
            "QUERY_SECONDS",
            "RATE_REFILL",
            "RATE_SHARED",
            "RATE_SERVER",
            "SPARK_SAMPLE",
        )
        if getattr(reco, name) <= 0
    ]
    messages += [
        Error(f"SHOP_RECO['{name}'] must not be below zero.", id="shop_reco.E010")
        for name in ("KEY_GRACE", "KEY_NOTED")
        if getattr(reco, name) < 0
    ]
    if not _is_time_zone(reco.SHOP_TIME_ZONE):
        text = f"SHOP_RECO['SHOP_TIME_ZONE'] is {reco.SHOP_TIME_ZONE!r}, which is no time zone."
        messages.append(
            Error(text, hint='Name one of the IANA database, such as "Europe/Berlin".', id="shop_reco.E021")
        )
    if not re.fullmatch(r"[A-Z]{3}", reco.CURRENCY):
        text = f"SHOP_RECO['CURRENCY'] is {reco.CURRENCY!r}, which is no code of ISO 4217."
        messages.append(Error(text, hint='Name one of three capitals, such as "EUR".', id="shop_reco.E022"))
    messages += [Error(f"SHOP_RECO['CLEANING']: {text}.", id="shop_reco.E006") for text in faults(reco.CLEANING)]
    if reco.STAFF_PASSWORD_MINUTES < 0:
        messages.append(Error("SHOP_RECO['STAFF_PASSWORD_MINUTES'] must not be negative.", id="shop_reco.E010"))
    if reco.STAFF_RECORD_DAYS < LEAST_RECORD:
        text = f"SHOP_RECO['STAFF_RECORD_DAYS'] must be {LEAST_RECORD} or more: who did what must be found for a year."
        messages.append(Error(text, id="shop_reco.E011"))
    messages += _second_factor(reco)
    if not 0 <= reco.CONTROL_SHARE <= 1:
        messages.append(Error("SHOP_RECO['CONTROL_SHARE'] must lie between 0 and 1.", id="shop_reco.E009"))
    if reco.DEMO_SWITCHER and not settings.DEBUG:
        messages.append(
            Error(
                "SHOP_RECO['DEMO_SWITCHER'] lets anyone shop as anyone.",
                hint="Remove it; it belongs to the demo settings, where DEBUG is on.",
                id="shop_reco.E003",
            )
        )
    return messages + _watching(reco) + _training(reco)


def _second_factor(reco: RecoSettings) -> list[CheckMessage]:
    if reco.STAFF_SECOND_FACTOR not in SECOND_FACTORS:
        text = f"SHOP_RECO['STAFF_SECOND_FACTOR'] is {reco.STAFF_SECOND_FACTOR!r}."
        return [Error(text, hint="Known ones: " + ", ".join(SECOND_FACTORS) + ".", id="shop_reco.E023")]
    lacking = [name for name in FACTOR_APPS if not apps.is_installed(name)]
    if reco.STAFF_SECOND_FACTOR == "off":
        return []
    if not lacking and find_spec("segno"):
        return _around_second_factor()
    hint = "Install the extra second-factor and list " + ", ".join(FACTOR_APPS) + " in INSTALLED_APPS, then migrate."
    return [Error("SHOP_RECO['STAFF_SECOND_FACTOR'] needs what is not here.", hint=hint, id="shop_reco.E024")]


def _around_second_factor() -> list[CheckMessage]:
    """Whether Django's own admin, if the host has it, shows and deletes second factors to whoever has a password."""
    of_otp = [kind for kind in type(admin.site).__mro__ if kind.__module__.startswith("django_otp")]
    shown = any(model._meta.app_label in ("otp_totp", "otp_static") for model in admin.site._registry)
    if not shown or of_otp:
        return []
    text = "Django's admin shows and deletes the second factors of staff to whoever has a password."
    hint = "Make it an OTPAdminSite of django-otp, or unregister TOTPDevice and StaticDevice from it."
    return [Warning(text, hint=hint, id="shop_reco.W020")]


def _training(reco: RecoSettings) -> list[CheckMessage]:
    """What trains is known, and where it is Spark, it is here.

    A warning only: a process that does not train needs neither Spark nor Java.
    """
    messages: list[CheckMessage] = []
    if reco.TRAINING_BACKEND not in BACKENDS:
        known = ", ".join(BACKENDS)
        text = f"SHOP_RECO['TRAINING_BACKEND'] is none that there is: {reco.TRAINING_BACKEND!r}; known ones: {known}"
        messages.append(Error(text, id="shop_reco.E012"))
    if reco.SPARK_ABOVE is not None and reco.SPARK_ABOVE < 0:
        messages.append(Error("SHOP_RECO['SPARK_ABOVE'] must not be below zero.", id="shop_reco.E010"))
    if (reco.TRAINING_BACKEND == "spark" or reco.SPARK_ABOVE is not None) and (missing := lacking()):
        messages.append(
            Warning(
                f"SHOP_RECO asks for training with Spark, and here is no {', no '.join(missing)}: a training that "
                "this machine works off will fail.",
                hint='pip install "shop-reco[spark]" and Java 17 or later; not needed where nothing is trained',
                id="shop_reco.W001",
            )
        )
    return messages


def _watching(reco: RecoSettings) -> list[CheckMessage]:
    """What watches the shop has its package, and its secret cannot be guessed."""
    messages: list[CheckMessage] = [
        Error(
            f"SHOP_RECO['{name}'] needs the package {package}.",
            hint=f'pip install "shop-reco[{extra}]"',
            id="shop_reco.E007",
        )
        for name, package, module, extra in (
            ("METRICS_TOKEN", "prometheus-client", "prometheus_client", "metrics"),
            ("TENSORBOARD_ROOT", "tensorboard", "tensorboard", "tensorboard"),
        )
        if getattr(reco, name) and not _installed(module)
    ]
    if 0 < len(reco.METRICS_TOKEN) < SHORTEST_TOKEN:
        text = f"SHOP_RECO['METRICS_TOKEN'] must have {SHORTEST_TOKEN} characters or more."
        messages.append(Error(text, id="shop_reco.E008"))
    return messages


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _installed(module: str) -> bool:
    """Whether it could be imported; it is not: TensorBoard is heavy, and only a training needs it."""
    try:
        return find_spec(module) is not None
    except ValueError:
        return False
