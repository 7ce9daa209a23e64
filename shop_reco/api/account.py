"""What a shopper did and said, as they read it themselves."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Self

import strawberry

from shop_reco.events.errors import UnknownEventError
from shop_reco.events.reading import PastEvent as Past
from shop_reco.events.reading import past_events
from shop_reco.products.selectors import final_rows
from shop_reco.recommendations.models import Feedback as FeedbackRow
from shop_reco.recommendations.selectors import feedback_of
from shop_reco.users.selectors import linked_ids

from .context import Info
from .errors import ApiError
from .ids import global_id, public_id_of
from .limits.cost import A_PAST_EVENT, work
from .lists import LISTS, check_page
from .types import Channel, EventType, FeedbackKind, PageInfo, Product


@strawberry.type(description="Something that this shopper did.")
class PastEvent:
    type: EventType
    occurred_at: dt.datetime
    channel: Channel
    product: Product | None = strawberry.field(description="Missing where there is none, or none that may be told.")
    query: str
    quantity: int
    price: Decimal | None
    currency: str
    rating: float | None

    @classmethod
    def of(cls, row: Past) -> Self:
        return cls(
            type=EventType(row.type),
            occurred_at=row.occurred_at,
            channel=Channel(row.channel),
            product=Product.of(row.product) if row.product else None,
            query=row.query,
            quantity=row.quantity,
            price=row.price,
            currency=row.currency,
            rating=row.rating,
        )


@strawberry.type
class PastEventEdge:
    node: PastEvent
    cursor: str


@strawberry.type
class PastEventConnection:
    edges: list[PastEventEdge]
    page_info: PageInfo


@strawberry.type(description="Something that this shopper said of a recommended product.")
class Feedback:
    kind: FeedbackKind
    given_at: dt.datetime
    product: Product | None = strawberry.field(description="Null where it is not shown any more.")

    @classmethod
    def of(cls, row: FeedbackRow, product: Product | None) -> Self:
        return cls(kind=FeedbackKind(row.kind), given_at=row.given_at, product=product)


@strawberry.type
class AccountQuery:
    @strawberry.field(
        description="What this shopper did, newest first; empty for a stranger.", metadata=work(each=A_PAST_EVENT)
    )
    def history(self, info: Info, first: int = 20, after: str | None = None) -> PastEventConnection:
        info.context.need(LISTS)
        check_page(first)
        name = public_id_of("Event", after) if after is not None else None
        shopper = info.context.shopper
        try:
            rows = past_events(shopper=shopper, first=first + 1, after=name) if shopper is not None else []
        except UnknownEventError:
            raise ApiError("BAD_CURSOR", "the event of this cursor is gone; ask again without after") from None
        edges = [PastEventEdge(node=PastEvent.of(row), cursor=_cursor(row.id)) for row in rows[:first]]
        cursors = [edge.cursor for edge in edges]
        return PastEventConnection(edges=edges, page_info=PageInfo.of(cursors, after=after, goes_on=len(rows) > first))

    @strawberry.field(description="What this shopper said of recommended products and did not take back, newest first.")
    def feedback(self, info: Info, first: int = 50) -> list[Feedback]:
        info.context.need(LISTS)
        check_page(first)
        if info.context.shopper is None:
            return []
        rows = feedback_of(shopper_ids=linked_ids(shopper=info.context.shopper), limit=first)
        products = final_rows(ids={row.product_id for row in rows})
        told = {pk: Product.of(each) for pk, each in products.items() if each.open}
        return [Feedback.of(row, told.get(row.product_id)) for row in rows]


def _cursor(event: uuid.UUID) -> str:
    return global_id("Event", event)
