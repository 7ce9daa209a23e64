"""What a shopper wants to buy, kept in their session."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase

from shop_reco.products.models import Product
from shop_reco.products.selectors import product_by_public_id, products_by_public_id

KEY = "reco_cart"
MOST = 99


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one product."""

    product: Product
    quantity: int

    @property
    def total(self) -> Decimal | None:
        """In the product's currency; None for a product without a price."""
        return None if self.product.price is None else self.product.price * self.quantity


def size(session: SessionBase) -> int:
    return sum(session.get(KEY, {}).values())


def lines(session: SessionBase) -> list[Line]:
    """In the order in which the products were added; those that are gone from the catalogue are left out."""
    content: dict[str, int] = session.get(KEY, {})
    found = products_by_public_id(public_ids=[*map(uuid.UUID, content)])
    products = {str(each.public_id): each for each in found if each.deleted_at is None}
    return [Line(products[name], quantity) for name, quantity in content.items() if name in products]


def totals(rows: Sequence[Line]) -> dict[str, Decimal]:
    """What the lines cost together, by currency."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row.total is not None:
            sums[row.product.currency] = sums.get(row.product.currency, Decimal()) + row.total
    return sums


@dataclass(frozen=True, slots=True)
class Change:
    """So many pieces more of a product, or fewer where they are below zero."""

    product: uuid.UUID
    pieces: int


def change(session: SessionBase, *, action: str, name: str, quantity: str) -> Change | None:
    """Add one, set the quantity (zero removes) or remove; what makes no sense changes nothing and gives None."""
    try:
        public_id = uuid.UUID(name)
        wanted = int(quantity) if action == "set" else 0
    except ValueError:
        return None
    content: dict[str, int] = dict(session.get(KEY, {}))
    key = str(public_id)
    before = content.get(key, 0)
    if action == "add" and product_by_public_id(public_id=public_id):
        content[key] = min(before + 1, MOST)
    elif action == "set" and key in content and wanted > 0:
        content[key] = min(wanted, MOST)
    elif action in ("set", "remove"):
        content.pop(key, None)
    session[KEY] = content
    pieces = content.get(key, 0) - before
    return Change(public_id, pieces) if pieces else None


def empty(session: SessionBase) -> None:
    session[KEY] = {}
