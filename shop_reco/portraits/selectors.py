"""Questions about portraits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from .models import Portrait, PortraitEdit


@dataclass(frozen=True, slots=True)
class InterestView:
    """One interest, and whether the shopper pinned or blocked it."""

    kind: str
    key: str
    weight: float
    state: str


@dataclass(frozen=True, slots=True)
class PortraitView:
    """A portrait as of now."""

    shopper: Shopper
    segment: Portrait.Segment
    drawn_at: dt.datetime
    last_seen: dt.datetime | None
    orders: int
    spent: Decimal
    active_hours: list[int]
    channels: list[str]
    interests: list[InterestView]


def blocked_keys(*, shopper: Shopper) -> list[tuple[str, str]]:
    """Kind and key of what the shopper blocked; one query."""
    edits = PortraitEdit.objects.filter(shopper__in=linked_ids(shopper=shopper), action=PortraitEdit.Action.BLOCK)
    return list(edits.values_list("kind", "key"))


def portrait_row(*, shopper: Shopper) -> Portrait | None:
    return Portrait.objects.filter(shopper=shopper).first()


def edits_of(*, shopper: Shopper) -> dict[tuple[str, str], str]:
    """What was done to each key; one query."""
    edits = PortraitEdit.objects.filter(shopper=shopper)
    return {(kind, key): action for kind, key, action in edits.values_list("kind", "key", "action")}
