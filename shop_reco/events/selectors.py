"""Questions about what shoppers did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from django.db.models import FloatField, Func
from django.db.models.functions import Coalesce

from shop_reco.users.models import Consent
from shop_reco.users.selectors import all_consenting

from .models import DataImport, DirtyShopper, Event


class UnixSeconds(Func):
    """A moment as unix seconds, counted by the database: cheaper than a datetime for each of many rows."""

    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="((julianday(%(expressions)s) - 2440587.5) * 86400.0)", **context
        )


class Touch(NamedTuple):
    """One event as recommenders see it; ``product_id`` is the parent of a variant."""

    shopper_id: int
    product_id: int
    type: str
    occurred_at: float  # unix seconds
    quantity: int


def _touches(queryset: object) -> object:
    item = Coalesce("product__parent_id", "product_id")
    dated = queryset.annotate(item=item, second=UnixSeconds("occurred_at"))  # type: ignore[attr-defined]
    return dated.values_list("shopper_id", "item", "type", "second", "quantity")


def newest_touches(*, shopper_ids: Collection[int], limit: int) -> list[Touch]:
    """The newest events on products of a linked set, newest first; one query on the covering index."""
    found = Event.objects.filter(shopper__in=shopper_ids, product__isnull=False).order_by("-occurred_at", "-id")
    return [Touch(*row) for row in _touches(found)[:limit]]  # type: ignore[index]


def bought_products(*, shopper_ids: Collection[int]) -> set[int]:
    """Primary keys of all that they ever bought, parents for variants; one query."""
    bought = Event.objects.filter(shopper__in=shopper_ids, type=Event.Type.PURCHASE)
    items = bought.annotate(item=Coalesce("product__parent_id", "product_id")).order_by()
    return set(items.values_list("item", flat=True).distinct()) - {None}


def training_touches(*, until: dt.datetime) -> Iterator[Touch]:
    """Every event on a product, of shoppers who allow training, up to ``until``; streamed."""
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING)
    found = Event.objects.filter(shopper__in=allowed, product__isnull=False, occurred_at__lte=until)
    return map(Touch._make, _touches(found).iterator(chunk_size=20_000))  # type: ignore[attr-defined]


def dirty_shoppers(*, limit: int) -> list[tuple[int, int]]:
    """Shoppers with news, and how often they were marked."""
    return list(DirtyShopper.objects.order_by("shopper_id").values_list("shopper_id", "marks")[:limit])


def data_import(*, source: str) -> DataImport | None:
    return DataImport.objects.filter(source=source).first()
