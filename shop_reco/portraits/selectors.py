"""Questions about portraits, and about what they are drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from shop_reco.conf import reco_settings
from shop_reco.events.models import DirtyShopper, Event
from shop_reco.events.selectors import Number, UnixSeconds
from shop_reco.products.models import Category, Product
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import all_consenting

from .models import FoldedDay, Portrait, PortraitEdit, Segmentation

CHUNK = 2000
"""Rows that are in memory at a time while a portrait is drawn."""


class EventRow(NamedTuple):
    """One event as a portrait is drawn from it; of a variant the parent's title, category and brand count."""

    id: UUID
    shopper_id: int
    type: str
    second: float  # unix seconds
    quantity: int
    price: float | None  # of one piece; infinite or NaN where the database holds no number
    currency: str
    channel: str
    order: str
    query: str
    product_id: int | None
    title: str | None
    category: str | None
    own_category: str | None
    brand: str | None


def rows_of(events: QuerySet[Event]) -> QuerySet[Any, Any]:
    """What portraits need of events, as tuples in the order of EventRow."""
    told = events.annotate(
        second=UnixSeconds("occurred_at"),
        paid=Number("price"),
        item=Coalesce("product__parent_id", "product_id"),
        title=Coalesce("product__parent__title", "product__title"),
        path=Coalesce("product__parent__category__path", "product__category__path"),
        brand=Coalesce("product__parent__brand__name", "product__brand__name"),
    )
    return told.values_list(
        "pk", "shopper_id", "type", "second", "quantity", "paid", "currency", "channel", "order", "query",
        "item", "title", "path", "product__category__path", "brand",
    )  # fmt: skip


def event_rows(*, shopper_ids: Collection[int]) -> Iterator[EventRow]:
    """All events of these shoppers, in no order, streamed; one query."""
    found = rows_of(Event.objects.filter(shopper__in=shopper_ids).order_by())
    return map(EventRow._make, found.iterator(chunk_size=CHUNK))


def newest_rows(*, shopper_ids: Collection[int]) -> Iterator[EventRow]:
    """The same, newest first."""
    found = rows_of(Event.objects.filter(shopper__in=shopper_ids).order_by("-occurred_at", "-id"))
    return map(EventRow._make, found.iterator(chunk_size=CHUNK))


def folded_counts(*, shopper_ids: Collection[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What the folded days of these shoppers count, each with whose it is, streamed; one query."""
    found = FoldedDay.objects.filter(shopper__in=shopper_ids).order_by()
    return found.values_list("shopper_id", "counts").iterator(chunk_size=CHUNK)


def marks_of(*, shopper_ids: Collection[int]) -> dict[int, int]:
    """How often news of these shoppers were marked, of those who have any; one query."""
    return dict(DirtyShopper.objects.filter(pk__in=shopper_ids).values_list("pk", "marks"))


def sizes_of(*, shopper_ids: Collection[int]) -> dict[int, int]:
    """From how many events the portraits of these shoppers were drawn, of those who have one; one query."""
    return dict(Portrait.objects.filter(pk__in=shopper_ids).values_list("pk", "n_events"))


def next_shopper_ids(*, after: int, limit: int) -> list[int]:
    """Primary keys of the next shoppers in the order of keys; one query."""
    return list(Shopper.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:limit])


def touched_by(*, category_ids: Collection[int], first: int, last: int) -> set[int]:
    """Of the shoppers between two primary keys, those with folded days or with events in the categories; two queries.

    Folded days count whatever they are of: the words of a search are among them, which name a category too.
    """
    events = Event.objects.filter(shopper__gte=first, shopper__lte=last, product__category__in=category_ids)
    days = FoldedDay.objects.filter(shopper__gte=first, shopper__lte=last)
    # Events first: what is folded meanwhile is found as a day.
    found = set(events.order_by().values_list("shopper_id", flat=True).distinct())
    return found | set(days.order_by().values_list("shopper_id", flat=True).distinct())


def accounts_joined(*, visitor_ids: Collection[int]) -> set[int]:
    """The accounts that these visitors were found to be; one query."""
    links = ShopperLink.objects.filter(visitor__in=visitor_ids, undone_at__isnull=True)
    return set(links.values_list("account_id", flat=True))


def zone_of(shopper: Shopper) -> str:
    """The shopper's time zone, else the shop's; UTC where nobody knows the one that is named."""
    zone = shopper.time_zone or reco_settings().SHOP_TIME_ZONE
    try:
        return ZoneInfo(zone).key
    except (KeyError, ValueError, OSError):
        return "UTC"


def drawn_in_another_zone() -> QuerySet[Portrait]:
    """Portraits whose shoppers' time zone is another one by now."""
    wanted = Coalesce(NullIf("shopper__time_zone", Value("")), Value(reco_settings().SHOP_TIME_ZONE))
    return Portrait.objects.alias(wanted=wanted).exclude(time_zone=F("wanted"))


def portrait_row(*, shopper: Shopper) -> Portrait | None:
    return Portrait.objects.filter(shopper=shopper).first()


def edits_of(*, shopper: Shopper) -> dict[tuple[str, str], str]:
    """What was done to each key; one query."""
    edits = PortraitEdit.objects.filter(shopper=shopper)
    return {(kind, key): action for kind, key, action in edits.values_list("kind", "key", "action")}


def paths_named(*, names: Sequence[str]) -> dict[str, list[str]]:
    """Paths of the categories that are called so, by name; one query."""
    found: dict[str, list[str]] = {}
    for name, path in Category.objects.filter(name__in=names).order_by("path").values_list("name", "path"):
        found.setdefault(name, []).append(path)
    return found


def live_segmentation() -> Segmentation | None:
    """The groups in use; one query."""
    return Segmentation.objects.filter(live=True).first()


def earlier_segmentations() -> list[tuple[dt.datetime, int, list[list[str]], list[int]]]:
    """Of each one kept, oldest first: when it was found, among how many, names and sizes of its groups; one query."""
    found = Segmentation.objects.order_by("pk")
    return list(found.values_list("fitted_at", "n_shoppers", "content__names", "content__sizes"))


def counted_in_groups() -> list[QuerySet[Consent, int]]:
    """Subqueries of who may be counted: those in all of them, who allow both a portrait and analytics."""
    return [all_consenting(purpose=each) for each in (Consent.Purpose.PERSONALISATION, Consent.Purpose.ANALYTICS)]


def summaries() -> Iterator[tuple[int, dict[str, Any]]]:
    """Summaries of all portraits of shoppers who allow analytics, in the order of keys, streamed; one query.

    A visitor who was found to be an account is counted as the account alone.
    """
    linked = ShopperLink.objects.filter(visitor=OuterRef("shopper"), undone_at__isnull=True)
    found = Portrait.objects.filter(~Exists(linked))
    for allowing in counted_in_groups():
        found = found.filter(shopper__in=allowing)
    found = found.order_by("shopper_id")
    return found.values_list("shopper_id", "summary").iterator(chunk_size=CHUNK)


def took_to(*, since: dt.datetime, types: Collection[str]) -> Iterator[tuple[int, int]]:
    """Which of those shoppers did which products one of these things since a moment, each pair once, streamed, in no
    order; one query."""
    found = Event.objects.filter(occurred_at__gte=since, type__in=types, product__isnull=False)
    for allowing in counted_in_groups():
        found = found.filter(shopper__in=allowing)
    pairs = found.order_by().values_list("shopper_id", "product_id").distinct()
    return pairs.iterator(chunk_size=CHUNK)


def accounts_of_visitors() -> dict[int, int]:
    """Who visitors turned out to be; one query."""
    links = ShopperLink.objects.filter(undone_at__isnull=True)
    return dict(links.values_list("visitor_id", "account_id"))


def product_paths() -> Iterator[tuple[int, int, str | None, str | None]]:
    """Of each product its key, that of the one that lists show for it, the path of that one's category and of its own;
    streamed, one query."""
    shown = Coalesce("parent_id", "pk")
    path = Coalesce("parent__category__path", "category__path")
    found = Product.objects.order_by().annotate(item=shown, path=path)
    return found.values_list("pk", "item", "path", "category__path").iterator(chunk_size=CHUNK)


def products_named(*, pks: Collection[int]) -> QuerySet[Product]:
    """These products as far as they are there, with their categories; one query."""
    return Product.objects.filter(pk__in=pks, deleted_at__isnull=True).select_related("category")
