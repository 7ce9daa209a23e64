"""What a shopper did, as they may read it themselves, page by page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from shop_reco.products.models import Product
from shop_reco.products.selectors import final_rows, sensitive_categories
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from .errors import UnknownEventError
from .models import Event
from .selectors import CATEGORY


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One event of a shopper's own.

    Attributes:
        product: None where it is of none, where it is gone, and where nothing may be told of it.
        price: Of one piece.
    """

    id: UUID
    type: str
    occurred_at: dt.datetime
    channel: str
    product: Product | None
    query: str
    quantity: int
    price: Decimal | None
    currency: str
    rating: float | None


def past_events(*, shopper: Shopper, first: int, after: UUID | None = None) -> list[PastEvent]:
    """The newest events of a shopper and of the visitors that they were, or what came before ``after``.

    Four queries, and one more with ``after``.

    Raises:
        UnknownEventError: If ``after`` is none of theirs.
    """
    found = Event.objects.filter(shopper__in=linked_ids(shopper=shopper))
    if after is not None:
        last = found.filter(pk=after).values_list("occurred_at", flat=True).first()
        if last is None:
            raise UnknownEventError(after)
        found = found.filter(Q(occurred_at__lt=last) | Q(occurred_at=last, pk__lt=after))
    rows: list[Any] = list(found.annotate(category=CATEGORY).order_by("-occurred_at", "-id")[:first])
    products = final_rows(ids={row.product_id for row in rows if row.product_id is not None})
    silent = set(sensitive_categories())
    return [_told(row, products.get(row.product_id), silent) for row in rows]


def _told(row: Any, product: Any, silent: set[int]) -> PastEvent:
    may_be_told = product is not None and product.deleted_at is None and row.category not in silent
    return PastEvent(
        id=row.pk,
        type=row.type,
        occurred_at=row.occurred_at,
        channel=row.channel,
        product=product if may_be_told else None,
        query=row.query,
        quantity=row.quantity,
        price=row.price,
        currency=row.currency,
        rating=row.rating,
    )
