"""Questions about portraits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

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


def edited_products(*, shopper_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Products of the categories and brands that the shopper pinned, and of those they blocked.

    One query where nothing was edited, two more for each kind of edit.
    """
    edits = list(PortraitEdit.objects.filter(shopper__in=shopper_ids).values_list("action", "kind", "key"))
    pinned, blocked = (
        set().union(
            *(
                Product.objects.filter(**{field: keys}).values_list("pk", flat=True)
                for field, kind in (("category__name__in", "category"), ("brand__name__in", "brand"))
                if (keys := [key for done, of, key in edits if (done, of) == (action, kind)])
            )
        )
        for action in (PortraitEdit.Action.PIN, PortraitEdit.Action.BLOCK)
    )
    return pinned - blocked, blocked


def portrait_row(*, shopper: Shopper) -> Portrait | None:
    return Portrait.objects.filter(shopper=shopper).first()


def edits_of(*, shopper: Shopper) -> dict[tuple[str, str], str]:
    """What was done to each key; one query."""
    edits = PortraitEdit.objects.filter(shopper=shopper)
    return {(kind, key): action for kind, key, action in edits.values_list("kind", "key", "action")}
