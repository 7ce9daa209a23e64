"""What can happen to the shops that report here, and to their secrets."""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils import timezone

from shop_reco.users.models import Consent

from .models import WebhookSource
from .sealing import seal

SHORTEST_SECRET = 16


@transaction.atomic
def create_source(
    *,
    name: str,
    kind: str,
    secret: str = "",
    purposes: Collection[str] = (),
    currency: str = "",
    time_zone: str = "",
    prefix: str = "",
) -> tuple[WebhookSource, str]:
    """Have a shop report here; returns the source, and the secret in plain text, which is never shown again.

    Without a ``secret`` one is made.

    Raises:
        ValueError: If the kind, a purpose, the time zone or the secret is none.
    """
    if kind not in WebhookSource.Kind.values:
        raise ValueError(f"kind must be one of {WebhookSource.Kind.values}")
    check_source(purposes=purposes, time_zone=time_zone)
    plain = _checked_secret(secret) if secret else random_secrets.token_urlsafe(32)
    source = WebhookSource.objects.create(
        name=name,
        kind=kind,
        secret=seal(plain),
        purposes=sorted(purposes),
        currency=currency.upper(),
        time_zone=time_zone,
        prefix=prefix,
    )
    return source, plain


@transaction.atomic
def change_source(*, source: WebhookSource, **values: Any) -> None:
    """Change what a source may claim and its defaults.

    Raises:
        ValueError: If a purpose or the time zone is none, or another field is named.
    """
    unknown = set(values) - {"name", "purposes", "currency", "time_zone", "prefix", "enabled"}
    if unknown:
        raise ValueError(f"cannot change {sorted(unknown)}")
    check_source(purposes=values.get("purposes", ()), time_zone=values.get("time_zone", ""))
    WebhookSource.objects.filter(pk=source.pk).update(**values)


@transaction.atomic
def rotate_secret(*, source: WebhookSource, secret: str = "") -> str:
    """Give a source a new secret; the one before is taken as well, until ``end_previous_secret``.

    Returns the new one in plain text, which is never shown again. Without a ``secret`` one is made.

    Raises:
        ValueError: If the secret is too short.
    """
    plain = _checked_secret(secret) if secret else random_secrets.token_urlsafe(32)
    locked = WebhookSource.objects.select_for_update().get(pk=source.pk)
    locked.previous_secret, locked.secret, locked.rotated_at = locked.secret, seal(plain), timezone.now()
    locked.save(update_fields=["previous_secret", "secret", "rotated_at"])
    return plain


@transaction.atomic
def end_previous_secret(*, source: WebhookSource) -> None:
    """Take the newest secret only; doing it twice changes nothing."""
    WebhookSource.objects.filter(pk=source.pk).update(previous_secret="")


@transaction.atomic
def set_enabled(*, source: WebhookSource, enabled: bool) -> None:
    """Take deliveries of a source, or refuse them, from the next one on."""
    WebhookSource.objects.filter(pk=source.pk).update(enabled=enabled)


def _checked_secret(secret: str) -> str:
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"the secret must have {SHORTEST_SECRET} characters or more")
    return secret


def check_source(*, purposes: Collection[str], time_zone: str) -> None:
    unknown = set(purposes) - set(Consent.Purpose.values)
    if unknown:
        raise ValueError(f"unknown purposes {sorted(unknown)}; known: {Consent.Purpose.values}")
    try:
        ZoneInfo(time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown time zone {time_zone!r}; as in Europe/Berlin") from None
