"""Dropping what waits to be mended, where it is about somebody who is erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from .models import WebhookDelivery, WebhookSource


@transaction.atomic
def forget_shopper(*, external_id: str) -> int:
    """Drop the payloads of failed deliveries that are about a shopper; returns how many."""
    found = 0
    for source in WebhookSource.objects.all():
        if not external_id.startswith(source.prefix):
            continue
        customer = external_id.removeprefix(source.prefix)
        kept = WebhookDelivery.objects.filter(source=source, state=WebhookDelivery.State.FAILED, payload__isnull=False)
        about = [each.pk for each in kept.iterator(chunk_size=100) if customer in customers_in(each.payload)]
        found += WebhookDelivery.objects.filter(pk__in=about).update(payload=None)
    return found


def customers_in(payload: Any) -> set[str]:
    """Ids of the customers that a payload names, in whatever way its sender does.

    What failed may have any shape: a list where a customer should be, or one row where a list should be.
    """
    found: set[str] = set()
    waiting = [payload]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, Mapping):
            waiting.append(each.get("data"))
            named = [each.get("customer_id"), each.get("shopper"), *_ids(each.get("customer"))]
            found.update(str(one) for name in named for one in (name if isinstance(name, list) else [name]))
    return found - {"None", "", "0"}


def _ids(customer: Any) -> list[Any]:
    """What stands under "id", at whatever depth of lists."""
    found, waiting = [], [customer]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, Mapping):
            found.append(each.get("id"))
    return found
