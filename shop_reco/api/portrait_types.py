"""The portrait in the schema: what is believed of a shopper, from what, and what they make of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Self

import strawberry

from shop_reco.portraits import reading
from shop_reco.portraits.reading import InterestView, PortraitView

from .limits.cost import most
from .types import EventType, Problem, Product


@strawberry.type
class Interest:
    kind: str
    key: str = strawberry.field(description="What editInterests and portraitEvidence take; of a category its path.")
    name: str = strawberry.field(description="The key; of a category the last name of its path.")
    above: str = strawberry.field(description="Of a category the path that leads to it.")
    weight: float = strawberry.field(description="1 is one purchase today.")
    state: str = strawberry.field(description="pin, block, hide, or empty.")

    @classmethod
    def of(cls, view: InterestView) -> Self:
        return cls(kind=view.kind, key=view.key, name=view.name, above=view.above, weight=view.weight, state=view.state)


@strawberry.type
class Money:
    amount: Decimal
    currency: str

    @classmethod
    def of(cls, money: reading.Money) -> Self:
        return cls(amount=money.amount, currency=money.currency)


@strawberry.type
class MonthSpent:
    month: dt.date = strawberry.field(description="Its first day.")
    amount: Decimal = strawberry.field(description="In the shop's currency.")


@strawberry.type
class CountOf:
    key: str
    n: int


@strawberry.type(description="What pieces of a category cost this shopper.")
class PriceBand:
    category: str
    currency: str
    low: Decimal = strawberry.field(description="A tenth of the pieces cost less.")
    typical: Decimal
    high: Decimal = strawberry.field(description="A tenth of the pieces cost more.")
    pieces: int

    @classmethod
    def of(cls, view: reading.PriceView) -> Self:
        return cls(
            category=view.category,
            currency=view.currency,
            low=view.low,
            typical=view.typical,
            high=view.high,
            pieces=view.pieces,
        )


def _counts(counts: dict[str, int]) -> list[CountOf]:
    return [CountOf(key=key, n=n) for key, n in counts.items()]


@strawberry.type
class Portrait:
    segment: str = strawberry.field(description="A code; segmentName says it in the language of the request.")
    segment_name: str
    drawn_at: dt.datetime
    time_zone: str = strawberry.field(description="Whose days and hours these are.")
    first_seen: dt.datetime | None
    last_seen: dt.datetime | None = strawberry.field(description="To the quarter of an hour.")
    age_band: str
    gender: str
    region: str
    events: int
    event_counts: list[CountOf] = strawberry.field(description="Events by type, most first.", metadata=most(12))
    orders: int
    spent: Decimal = strawberry.field(description="In the shop's currency, less what was given back.")
    spending: list[Money] = strawberry.field(description="In each currency.", metadata=most(2))
    months: list[MonthSpent] = strawberry.field(
        description="The last twelve months, the current one last.", metadata=most(12)
    )
    basket: float | None = strawberry.field(description="Pieces of a typical order.")
    order_interval: float | None = strawberry.field(description="Days from one order to the next, typically.")
    hours_of_week: list[int] = strawberry.field(description="Events by hour, 168 numbers from Monday's midnight on.")
    active_hours: list[int]
    channels: list[str]
    channel_counts: list[CountOf] = strawberry.field(metadata=most(5))
    price_bands: list[PriceBand] = strawberry.field(metadata=most(20))
    interests: list[Interest] = strawberry.field(metadata=most(40))
    hidden: list[Interest] = strawberry.field(
        description="What the shopper hid: no list follows from it.", metadata=most(10)
    )

    @classmethod
    def of(cls, view: PortraitView) -> Self:
        return cls(
            segment=view.segment,
            segment_name=view.segment_name,
            drawn_at=view.drawn_at,
            time_zone=view.time_zone,
            first_seen=view.first_seen,
            last_seen=view.last_seen,
            age_band=view.shopper.age_band,
            gender=view.shopper.gender,
            region=view.shopper.region,
            events=view.n_events,
            event_counts=_counts(view.types),
            orders=view.orders,
            spent=view.spent,
            spending=[Money.of(each) for each in view.spending],
            months=[MonthSpent(month=month, amount=amount) for month, amount in view.months],
            basket=view.basket,
            order_interval=view.interval,
            hours_of_week=view.hours,
            active_hours=view.active_hours,
            channels=view.channels,
            channel_counts=_counts(view.channel_counts),
            price_bands=[PriceBand.of(each) for each in view.prices],
            interests=[Interest.of(each) for each in view.interests],
            hidden=[Interest.of(each) for each in view.hidden],
        )


@strawberry.type
class EvidenceEvent:
    type: EventType
    occurred_at: dt.datetime
    product: Product | None = strawberry.field(description="Missing where there is none, or none that may be told.")
    query: str
    quantity: int
    amount: Money | None

    @classmethod
    def of(cls, event: reading.BehindEvent) -> Self:
        return cls(
            type=EventType(event.type),
            occurred_at=event.occurred_at,
            product=Product.of(event.product) if event.product else None,
            query=event.query,
            quantity=event.quantity,
            amount=Money.of(event.amount) if event.amount else None,
        )


@strawberry.type(description="What a number of the portrait was counted from.")
class PortraitEvidence:
    counts: list[CountOf] = strawberry.field(description="Events by type.", metadata=most(12))
    events: list[EvidenceEvent] = strawberry.field(description="The newest of them, newest first.")
    folded_days: int = strawberry.field(description="Days that have some of it and whose events are kept no more.")

    @classmethod
    def of(cls, behind: reading.Behind) -> Self:
        return cls(
            counts=_counts(behind.counts),
            events=[EvidenceEvent.of(each) for each in behind.events],
            folded_days=behind.folded_days,
        )


@strawberry.input
class InterestKey:
    kind: str
    key: str


@strawberry.input
class InterestsInput:
    pin: list[InterestKey] | None = None
    block: list[InterestKey] | None = None
    hide: list[InterestKey] | None = None
    clear: list[InterestKey] | None = None

    def keys(self, field: str) -> list[tuple[str, str]]:
        chosen: Any = getattr(self, field) or []
        return [(each.kind, each.key) for each in chosen]


@strawberry.type
class PortraitPayload:
    portrait: Portrait | None
    errors: list[Problem] = strawberry.field(metadata=most(3))
