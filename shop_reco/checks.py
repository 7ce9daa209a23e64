"""What is told at start when the settings are wrong."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from reco_engine.data.cleaning_settings import faults

from .conf import reco_settings


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
        )
        if getattr(reco, name) <= 0
    ]
    messages += [Error(f"SHOP_RECO['CLEANING']: {text}.", id="shop_reco.E006") for text in faults(reco.CLEANING)]
    if reco.DEMO_SWITCHER and not settings.DEBUG:
        messages.append(
            Error(
                "SHOP_RECO['DEMO_SWITCHER'] lets anyone shop as anyone.",
                hint="Remove it; it belongs to the demo settings, where DEBUG is on.",
                id="shop_reco.E003",
            )
        )
    return messages
