"""What was refused, kept as it came with why: bounded, so that no sender fills the table."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from .drafts import TEXT_CHARACTERS
from .errors import EventError
from .models import RejectedEvent, Sender

UNKEPT = frozenset({"CONSENT_REQUIRED", "FORBIDDEN_FIELD"})
"""Refusals that leave no row: nobody allowed us to keep the first, and nobody could replay the second."""

BAD_MESSAGE = "BAD_MESSAGE"
"""A message of a stream of which nothing can be told; its row says where it lies."""

PLACE = {"source", "topic", "partition", "offset"}
"""What is kept of such a message."""

LONGEST = TEXT_CHARACTERS + 1
"""Characters kept of a text: one more than any field takes, so that what was too long stays so."""

MOST_KEYS, DEEPEST = 40, 4


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not stored: what it said, why not, and whose it is; None for nobody we know."""

    raw: Mapping[str, Any]
    error: EventError
    shopper_id: int | None


def keep(refused: Sequence[Refused], *, sender: Sender, now: dt.datetime, most: int) -> None:
    """Keep the refused events of shoppers of whom fewer than ``most`` were kept in the last 24 hours.

    What names nobody whom an export or an erasure would find is not kept either.
    """
    worth = [each for each in refused if each.shopper_id is not None and each.error.code not in UNKEPT]
    if not worth:
        return
    lately = RejectedEvent.objects.filter(
        shopper__in={each.shopper_id for each in worth}, received_at__gt=now - dt.timedelta(days=1)
    )
    kept = dict(lately.order_by().values_list("shopper_id").annotate(Count("pk")))
    rows = []
    for each in worth:
        kept[each.shopper_id] = kept.get(each.shopper_id, 0) + 1
        if kept[each.shopper_id] <= most:
            rows.append(
                RejectedEvent(
                    payload=plain(each.raw),
                    code=each.error.code,
                    message=each.error.message,
                    sender=sender,
                    shopper_id=each.shopper_id,
                    received_at=now,
                )
            )
    RejectedEvent.objects.bulk_create(rows)


def keep_places(refused: Sequence[Refused], *, now: dt.datetime, most: int) -> None:
    """Keep where messages lie that were refused and that nobody owns, ``most`` in 24 hours.

    What they say is kept nowhere: no export or erasure would find it.
    """
    if not refused:
        return
    lately = RejectedEvent.objects.filter(shopper__isnull=True, received_at__gt=now - dt.timedelta(days=1))
    free = max(0, most - lately.count())
    RejectedEvent.objects.bulk_create(
        RejectedEvent(
            payload=dict(each.raw),
            code=each.error.code,
            message=each.error.message[:512],
            sender=Sender.SERVER,
            received_at=now,
        )
        for each in refused[:free]
    )


def plain(value: Any, depth: int = 0) -> Any:
    """``value`` as JSON that every database keeps: short, not deep, and of storable characters."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= 64 else f"a number of {value.bit_length()} bits"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if depth < DEEPEST and isinstance(value, Mapping):
        return {_storable(str(key)): plain(inner, depth + 1) for key, inner in list(value.items())[:MOST_KEYS]}
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value[:MOST_KEYS]]
    return _storable(
        value if isinstance(value, str) else "" if isinstance(value, Mapping | list | tuple) else str(value)
    )


def _storable(text: str) -> str:
    return text[:LONGEST].encode(errors="replace").decode().replace("\0", "\ufffd")
