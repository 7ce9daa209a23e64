"""Questions about what shoppers did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, FloatField, Func, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce

from shop_reco.prepared import Prepared
from shop_reco.products.selectors import sensitive_categories
from shop_reco.users.models import Consent
from shop_reco.users.selectors import all_consenting

from .models import DataImport, DirtyShopper, Event, ShopperFlag

ANSWERS = (Event.Type.VIEW_ITEM_LIST, Event.Type.SELECT_ITEM, Event.Type.VIEW_ITEM, Event.Type.ADD_TO_CART)
"""What a shopper does with a list: they see it, or click in it."""


class AsItIs(FloatField):  # type: ignore[type-arg]
    """A number as the driver hands it over: Django makes a float of each anew, which costs more than the query."""

    def get_internal_type(self) -> str:
        return "AsItIs"


class UnixSeconds(Func):
    """A moment as unix seconds, counted by the database: cheaper than a datetime for each of many rows."""

    output_field = AsItIs()
    template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="ROUND((julianday(%(expressions)s) - 2440587.5) * 86400.0, 3)",  # it counts milliseconds
            **context,
        )


class Number(Func):
    """A column as a float, however strange it is; SQLite's, which may hold words as well, are infinite then."""

    output_field = AsItIs()
    template = "CAST(%(expressions)s AS double precision)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # a cast makes nought of a word, which would be a price that one can have
        number = "CASE WHEN typeof(%(expressions)s) IN ('text', 'blob') THEN 9e999 ELSE " + self.template + " END"
        return self.as_sql(compiler, connection, template=number, **context)


class EventRow(NamedTuple):
    """One event about a product, as cleaning reads it; how its columns are called is how they are asked for."""

    item: int  # the parent of a variant
    type: str
    second: float | None  # unix seconds; None where the database makes nothing of it
    pieces: float | None
    paid: float | None  # for one piece
    stars: float | None
    order: str


ITEM = Coalesce("product__parent_id", "product_id")
CATEGORY = Coalesce("product__parent__category_id", "product__category_id")
"""Of the item."""


def _rows(found: QuerySet[Event], *also: str) -> QuerySet[Event, Any]:
    """Columns of ``EventRow`` and others, as tuples; numbers as the database has them, however strange."""
    return found.annotate(
        item=ITEM,
        second=UnixSeconds("occurred_at"),
        pieces=Number("quantity"),
        paid=Number("price"),
        stars=Number("rating"),
    ).values_list(*EventRow._fields, *also)


def newest_rows(
    *,
    shopper_ids: Collection[int],
    since: dt.datetime | None,
    until: dt.datetime | None,
    limit: int,
    arrived: Q | None = None,
) -> list[Any]:
    """The newest usable events of a linked set as ``EventRow``s, newest first; one query along one index.

    Usable is what is about a product of the catalogue that is not sensitive. ``arrived`` narrows it to what had
    arrived at some earlier moment.
    """
    if arrived is None and since is not None and until is not None:
        return _newest_between(shopper_ids, since, until, limit=limit)
    found = _usable_rows().filter(shopper__in=shopper_ids, **_between(since, until))
    return list((found if arrived is None else found.filter(arrived))[:limit])


@Prepared
def _newest_between(
    shopper_ids: Collection[int], since: dt.datetime, until: dt.datetime, *, limit: int
) -> QuerySet[Event, Any]:
    return _usable_rows().filter(shopper__in=shopper_ids, **_between(since, until))[:limit]


@cache
def _usable_rows() -> QuerySet[Event, Any]:
    """Everybody's usable events, newest first, never run as it is: to put it together takes as long as to run it."""
    told = Event.objects.filter(product__revision__gte=0).annotate(category=CATEGORY)
    rows = told.exclude(category__in=sensitive_categories(), category__isnull=False)
    return _rows(rows.order_by("-occurred_at", "-id"))


def training_rows(*, shopper_ids: Collection[int]) -> Iterator[Any]:
    """All events on products of those of the shoppers who allow training, streamed, newest first within a shopper.

    The columns of ``EventRow``, then the item's category, a number unless the product is gone from the catalogue,
    the shopper's key, and the event's id as text.
    """
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING).filter(shopper__in=shopper_ids)
    found = Event.objects.filter(shopper__in=allowed, product__isnull=False)
    told = found.annotate(category=CATEGORY, stocked=F("product__revision"), name=Cast("id", TextField()))
    rows = _rows(told.order_by("shopper_id", "-occurred_at", "-id"), "category", "stocked", "shopper_id", "name")
    return rows.iterator(chunk_size=20_000)


def count_training_events() -> int:
    """How many events on products there are of shoppers who allow training, before any cleaning; one query."""
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING)
    return Event.objects.filter(shopper__in=allowed, product__isnull=False).count()


def _between(since: dt.datetime | None, until: dt.datetime | None) -> dict[str, dt.datetime]:
    limits = {"occurred_at__gte": since, "occurred_at__lte": until}
    return {name: limit for name, limit in limits.items() if limit is not None}


def newest_visits(*, shopper_ids: Collection[int], limit: int) -> list[Any]:
    """The newest events of a linked set, newest first: id as text, moment, unix seconds, channel; one query."""
    found = Event.objects.filter(shopper__in=shopper_ids).order_by("-occurred_at", "-id")
    told = found.annotate(second=UnixSeconds("occurred_at"), name=Cast("id", TextField()))
    return list(told.values_list("id", "name", "second", "occurred_at", "channel", "type")[:limit])


def answers_of(*, shopper_ids: Collection[int], since: dt.datetime, until: dt.datetime) -> Iterator[Any]:
    """What may be an answer to a list, streamed: shopper, type, product (its parent), unix seconds and list.

    Those are purchases, and views and clicks that name the list they answer; of shoppers who allow analytics.
    """
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS).filter(shopper__in=shopper_ids)
    found = Event.objects.filter(shopper__in=allowed, occurred_at__gte=since, occurred_at__lte=until)
    answers = found.filter(Q(type=Event.Type.PURCHASE) | Q(type__in=ANSWERS, slate_id__isnull=False)).order_by()
    rows = answers.annotate(item=ITEM, second=UnixSeconds("occurred_at"))
    return rows.values_list("shopper_id", "type", "item", "second", "slate_id").iterator(chunk_size=2000)


def arrivals(*, shopper_ids: Collection[int], since: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """When events of a linked set arrived between two moments, both included, each moment once; one query."""
    found = Event.objects.filter(shopper__in=shopper_ids, received_at__gte=since, received_at__lte=until)
    return list(found.order_by("received_at").values_list("received_at", flat=True).distinct())


def bought_products(*, shopper_ids: Collection[int], since: dt.datetime | None = None) -> set[int]:
    """Primary keys of all that they ever bought, or bought since then, parents for variants; one query."""
    return set(_bought(shopper_ids) if since is None else _bought(shopper_ids, since)) - {None}


@Prepared
def _bought(shopper_ids: Collection[int], since: dt.datetime | None = None) -> QuerySet[Event, Any]:
    bought = Event.objects.filter(shopper__in=shopper_ids, type=Event.Type.PURCHASE, **_between(since, None))
    items = bought.annotate(item=Coalesce("product__parent_id", "product_id")).order_by()
    return items.values_list("item", flat=True).distinct()


def dirty_shoppers(*, limit: int) -> list[int]:
    """Primary keys of shoppers with news, rising; one query."""
    return list(DirtyShopper.objects.order_by("shopper_id").values_list("shopper_id", flat=True)[:limit])


def data_import(*, source: str) -> DataImport | None:
    return DataImport.objects.filter(source=source).first()


def owners_among(*, ids: Collection[str]) -> dict[UUID, int]:
    """Those of some events that are stored, with the primary keys of their shoppers; one query."""
    return dict(Event.objects.filter(pk__in=ids).values_list("pk", "shopper_id"))


def flags_in_force() -> dict[int, int]:
    """How many flags not cleared each flagged shopper has, by primary key; one query."""
    found = ShopperFlag.objects.filter(cleared_at__isnull=True).order_by()
    return dict(found.values_list("shopper_id").annotate(n=Count("pk")))


def flags_by_rule() -> list[tuple[str, int, int]]:
    """Each rule with its flags in force and those cleared; one query."""
    counted = ShopperFlag.objects.order_by().values_list("rule")
    found = {rule: (n, cleared) for rule, n, cleared in counted.annotate(n=Count("pk"), cleared=Count("cleared_at"))}
    return [
        (rule, found[rule][0] - found[rule][1], found[rule][1]) for rule in ShopperFlag.Rule.values if rule in found
    ]
