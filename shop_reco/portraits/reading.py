"""A stored portrait as of now, with what the shopper did to it, and the events behind each number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.prepared import Prepared
from shop_reco.products.models import Category, Product
from shop_reco.products.selectors import sensitive_paths
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import allows, linked_ids

from .engine import (
    JOINT,
    Interest,
    PortraitEvent,
    PriceBand,
    counted_in,
    event_of,
    group_named,
    has_word,
    is_behind,
    levels_of,
    portrait_read,
    reading,
    silence_of,
)
from .engine import Portrait as Drawn
from .models import Portrait, PortraitEdit
from .segmenting import named
from .selectors import edits_of, folded_counts, live_segmentation, newest_rows, portrait_row, zone_of

MOST = 20
"""Interests of each kind that a portrait shows."""

BEHIND_KINDS = ("category", "brand", "keyword", "type", "channel", "price", "hour", "spent")


@dataclass(frozen=True, slots=True)
class InterestView:
    """One interest, and what the shopper did to it: pin, block, hide, or nothing."""

    kind: str
    key: str
    weight: float
    state: str

    @property
    def name(self) -> str:
        """The key; of a category the last name of its path."""
        return self.key.rpartition(JOINT)[2] if self.kind == PortraitEdit.Kind.CATEGORY else self.key

    @property
    def above(self) -> str:
        """Of a category the path that leads to it."""
        return self.key.rpartition(JOINT)[0] if self.kind == PortraitEdit.Kind.CATEGORY else ""


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class PriceView:
    """What pieces of a category cost this shopper: a tenth less than ``low``, nine tenths less than ``high``."""

    category: str
    currency: str
    low: Decimal
    typical: Decimal
    high: Decimal
    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitView:
    """A portrait as of now.

    Attributes:
        segment: A code: one of Portrait.Segment, or the parts of a group's name joined by "+".
        segment_name: The same in the language of the request.
        spent: In the shop's currency; ``spending`` has every one.
        months: What was spent in each of the last twelve months, in the shop's currency.
        hours: Events by hour of the week, 168 numbers from Monday's midnight on, in ``time_zone``.
        channels: Those in use, most used first; ``channel_counts`` says how much.
        basket: Pieces of a typical order.
        interval: Days between orders, typically.
        interests: Without what the shopper hid, which is in ``hidden``.
    """

    shopper: Shopper
    segment: str
    segment_name: str
    drawn_at: dt.datetime
    time_zone: str
    first_seen: dt.datetime | None
    last_seen: dt.datetime | None
    n_events: int
    types: dict[str, int]
    orders: int
    spent: Decimal
    spending: list[Money]
    months: list[tuple[dt.date, Decimal]]
    hours: list[int]
    active_hours: list[int]
    channels: list[str]
    channel_counts: dict[str, int]
    basket: float | None
    interval: float | None
    prices: list[PriceView]
    interests: list[InterestView]
    hidden: list[InterestView]


def portrait_of(*, shopper: Shopper, now: dt.datetime | None = None) -> PortraitView | None:
    """The shopper's portrait; None before it was drawn, and where the shopper allows none. Five queries."""
    row = portrait_row(shopper=shopper)
    if row is None or not allows(shopper=shopper, purpose=Consent.Purpose.PERSONALISATION):
        return None
    drawn = portrait_read(row.counts)
    if drawn is None:
        return None
    at = (now or timezone.now()).timestamp()
    silence = silence_of(sensitive_paths())  # a category may have become sensitive after the portrait was drawn
    edits = edits_of(shopper=shopper)
    found = reading.interests(drawn, at, most=MOST + len(edits), silence=silence)
    shown, hidden = _edited(found, edits)
    segment, name = _segment(drawn, at)
    hours = [drawn.hours.get(hour, 0) for hour in range(168)]
    by_hour = {hour: sum(hours[hour::24]) for hour in range(24)}
    currency = reco_settings().CURRENCY
    money = reading.spent(drawn)
    channels = dict(sorted(drawn.channels.items(), key=lambda pair: (-pair[1], pair[0])))
    return PortraitView(
        shopper=shopper,
        segment=segment,
        segment_name=name,
        drawn_at=row.drawn_at,
        time_zone=drawn.zone,
        first_seen=_moment(reading.seen(drawn.first)),
        last_seen=_moment(reading.seen(drawn.last)),
        n_events=reading.n_events(drawn),
        types=dict(sorted(drawn.types.items(), key=lambda pair: (-pair[1], pair[0]))),
        orders=reading.n_orders(drawn),
        spent=_decimal(money.get(currency, 0)),
        spending=[Money(_decimal(n), each) for each, n in money.items()],
        months=[(month, _decimal(n)) for month, n in reading.spent_by_month(drawn, at, currency)],
        hours=hours,
        active_hours=sorted(sorted((h for h in by_hour if by_hour[h]), key=lambda h: (-by_hour[h], h))[:3]),
        channels=list(channels),
        channel_counts=channels,
        basket=reading.basket(drawn),
        interval=reading.interval(drawn),
        prices=[_price(each) for each in reading.price_bands(drawn, silence=silence)],
        interests=[each for each in shown if not reading.silent(silence, each.kind, each.key)],
        hidden=[each for each in hidden if not reading.silent(silence, each.kind, each.key)],
    )


def _edited(found: list[Interest], edits: dict[tuple[str, str], str]) -> tuple[list[InterestView], list[InterestView]]:
    """Interests that are shown, at most MOST of each kind but for those that were edited; and those that are hidden.

    What is below a hidden category is hidden with it.
    """
    shown: list[InterestView] = []
    hidden: list[InterestView] = []
    rest, left = dict(edits), dict.fromkeys(PortraitEdit.Kind.values, MOST)
    away = {key for (kind, key), action in edits.items() if kind == "category" and action == PortraitEdit.Action.HIDE}
    for each in found:
        state = rest.pop((each.kind, each.key), "")
        view = InterestView(each.kind, each.key, each.weight, state)
        below = each.kind == "category" and not away.isdisjoint(levels_of(each.key)[:-1])
        if state == PortraitEdit.Action.HIDE:
            hidden.append(view)
        elif not below and (state or left[each.kind] > 0):
            shown.append(view)
            left[each.kind] -= 1
    for (kind, key), action in rest.items():
        view = InterestView(kind, key, 0.0, action)
        (hidden if action == PortraitEdit.Action.HIDE else shown).append(view)
    return shown, hidden


def _segment(drawn: Drawn, now: float) -> tuple[str, str]:
    """Code and name: of the nearest group where groups were found, else by fixed rules."""
    groups = live_segmentation()
    if groups is None or reading.n_orders(drawn) < 2:
        code = reading.by_rule(drawn, now)
        return code, str(Portrait.Segment(code).label)
    parts = group_named(groups.content, drawn, now=now)
    return "+".join(parts), named(parts)


def _price(band: PriceBand) -> PriceView:
    low, typical, high = (_decimal(each) for each in (band.low, band.typical, band.high))
    return PriceView(band.category, band.currency, low, typical, high, band.pieces)


def _decimal(hundredths: int) -> Decimal:
    return Decimal(hundredths) / 100


def _moment(second: float | None) -> dt.datetime | None:
    return None if second is None else dt.datetime.fromtimestamp(second, dt.UTC)


@dataclass(frozen=True, slots=True)
class BehindEvent:
    """One event behind a number; no product where it says nothing of one, or where it is a sensitive one."""

    type: str
    occurred_at: dt.datetime
    product: Product | None
    query: str
    quantity: int
    amount: Money | None


@dataclass(slots=True)
class Behind:
    """What a number was counted from.

    Attributes:
        counts: Events by type.
        events: The newest of them.
        folded_days: Days whose events were deleted after they had been counted, and that have some of this.
    """

    counts: dict[str, int] = field(default_factory=dict)
    events: list[BehindEvent] = field(default_factory=list)
    folded_days: int = 0


def events_behind(*, shopper: Shopper, kind: str, key: str, first: int = 50) -> Behind:
    """The events that the shopper's portrait counts under ``kind`` and ``key``; six queries.

    They are found as the portrait counts them, so that the numbers agree.

    Raises:
        ValueError: If ``kind`` is none of BEHIND_KINDS.
    """
    if kind not in BEHIND_KINDS:
        raise ValueError(f"kind must be one of {', '.join(BEHIND_KINDS)}")
    behind = Behind()
    silence = silence_of(sensitive_paths())
    if not allows(shopper=shopper, purpose=Consent.Purpose.PERSONALISATION):
        return behind
    if reading.silent(silence, kind, key):
        return behind
    ids, zone = linked_ids(shopper=shopper), zone_of(shopper)
    chosen: list[tuple[PortraitEvent, int | None, str]] = []
    for row in newest_rows(shopper_ids=ids):
        event = event_of(row, silence)
        if is_behind(event, kind=kind, key=key, zone=zone):
            behind.counts[event.type] = behind.counts.get(event.type, 0) + 1
            if len(chosen) < first:
                chosen.append((event, row.product_id if event.text else None, row.query if event.text else ""))
    wanted = {pk for _event, pk, _query in chosen if pk is not None}
    products = Product.objects.select_related("category", "brand").in_bulk(wanted)
    for event, pk, query in chosen:
        amount = Money(_decimal(event.amount), event.currency) if event.amount else None
        at = dt.datetime.fromtimestamp(event.occurred_at, dt.UTC)
        product = products.get(pk) if pk is not None else None
        behind.events.append(BehindEvent(event.type, at, product, query, event.quantity, amount))
    days = folded_counts(shopper_ids=ids)
    behind.folded_days = sum(counted_in(counts, kind=kind, key=key) for _shopper_id, counts in days)
    return behind


@dataclass(frozen=True, slots=True)
class Edited:
    """Primary keys of products of what a shopper pinned, blocked and hid."""

    pinned: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)


@Prepared
def _edits(shopper_ids: Collection[int]) -> QuerySet[PortraitEdit, Any]:
    return PortraitEdit.objects.filter(shopper__in=shopper_ids).values_list("action", "kind", "key")


def edited_products(*, shopper_ids: Collection[int]) -> Edited:
    """What edits of interests mean for lists: products of a category, with all below it, of a brand, or whose
    title has a keyword. One query where nothing was edited, and a few for each action that was used."""
    edits: dict[str, dict[str, set[str]]] = {}
    for action, kind, key in _edits(shopper_ids):
        edits.setdefault(action, {}).setdefault(kind, set()).add(key)
    products = {action: _products_of(keys) for action, keys in edits.items()}
    pinned, blocked, hidden = (products.get(action, set()) for action in ("pin", "block", "hide"))
    return Edited(pinned - blocked, blocked, hidden)


def _products_of(keys: dict[str, set[str]]) -> set[int]:
    chosen: set[int] = set()
    if categories := keys.get(PortraitEdit.Kind.CATEGORY):
        rows = Category.objects.values_list("pk", "name", "path")
        within = [pk for pk, name, path in rows if name in categories or not categories.isdisjoint(levels_of(path))]
        chosen.update(Product.objects.filter(category__in=within).values_list("pk", flat=True))
    if brands := keys.get(PortraitEdit.Kind.BRAND):
        chosen.update(Product.objects.filter(brand__name__in=brands).values_list("pk", flat=True))
    for word in keys.get(PortraitEdit.Kind.KEYWORD, ()):
        titled = Product.objects.filter(title__icontains=word).values_list("pk", "title", "brand__name")
        chosen.update(pk for pk, title, brand in titled if has_word(title, brand or "", word))
    return chosen
