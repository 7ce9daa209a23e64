"""Questions about what shoppers did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db.models.functions import Coalesce

from shop_reco.users.models import Consent
from shop_reco.users.selectors import all_consenting

from .models import DataImport, DirtyShopper, Event


class Touch(NamedTuple):
    """One event as recommenders see it; ``product_id`` is the parent of a variant."""

    shopper_id: int
    product_id: int
    type: str
    occurred_at: dt.datetime
    quantity: int


def _touches(queryset: object) -> object:
    return queryset.annotate(item=Coalesce("product__parent_id", "product_id")).values_list(  # type: ignore[attr-defined]
        "shopper_id", "item", "type", "occurred_at", "quantity"
    )


def newest_touches(*, shopper_ids: Collection[int], limit: int) -> list[Touch]:
    """The newest events on products of a linked set, newest first; one query on the covering index."""
    found = Event.objects.filter(shopper__in=shopper_ids, product__isnull=False).order_by("-occurred_at", "-id")
    return [Touch(*row) for row in _touches(found)[:limit]]  # type: ignore[index]


def bought_products(*, shopper_ids: Collection[int]) -> set[int]:
    """Primary keys of all that they ever bought, parents for variants; one query."""
    bought = Event.objects.filter(shopper__in=shopper_ids, type=Event.Type.PURCHASE)
    return {row[1] for row in _touches(bought)}  # type: ignore[attr-defined]


def training_touches(*, until: dt.datetime) -> Iterator[Touch]:
    """Every event on a product, of shoppers who allow training, up to ``until``; streamed."""
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING)
    found = Event.objects.filter(shopper__in=allowed, product__isnull=False, occurred_at__lte=until)
    return map(Touch._make, _touches(found).iterator(chunk_size=20_000))  # type: ignore[attr-defined]


def events_of(*, shopper_ids: Collection[int]) -> list[Event]:
    """All events of a linked set, oldest first."""
    found = Event.objects.filter(shopper__in=shopper_ids).select_related("product__category", "product__brand")
    return list(found.order_by("occurred_at", "id"))


def dirty_shoppers(*, limit: int) -> list[tuple[int, int]]:
    """Shoppers with news, and how often they were marked."""
    return list(DirtyShopper.objects.order_by("shopper_id").values_list("shopper_id", "marks")[:limit])


def data_import(*, source: str) -> DataImport | None:
    return DataImport.objects.filter(source=source).first()
