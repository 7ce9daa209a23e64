"""What is put into a cart and ordered: told by the server, so that no browser can tell of a purchase."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from shop_reco.api.ids import global_id
from shop_reco.events.services import Sender, record_events
from shop_reco.users.models import Shopper

from .cart import Change, Line

PLACED = "reco_placed"
"""Where the session keeps the order that was placed last."""
ABOUT = 20
"""Products that a list can be about."""


def ids_of(rows: Sequence[Line]) -> list[str]:
    """Global ids of the newest products of the cart, as many as a list can be about."""
    return [str(global_id("Product", row.product.public_id)) for row in rows[-ABOUT:]]


def tell_cart(*, shopper: Shopper | None, change: Change) -> None:
    """Keep that a product went into the cart or left it; of a stranger nothing is kept."""
    if shopper is None:
        return
    kind = "add_to_cart" if change.pieces > 0 else "remove_from_cart"
    event = {"id": uuid.uuid4(), "type": kind, "product": change.product, "quantity": abs(change.pieces)}
    record_events(events=[event], shopper=shopper, sender=Sender.SERVER)


def place(rows: Sequence[Line], *, shopper: Shopper | None) -> str:
    """Write the order's purchases and return its name."""
    order = f"web-{uuid.uuid4().hex[:12]}"
    events: list[dict[str, Any]] = [
        {
            "id": uuid.uuid4(),
            "type": "purchase",
            "product": row.product.public_id,
            "order": order,
            "quantity": row.quantity,
            "price": row.product.price,
            "currency": row.product.currency,
        }
        for row in rows
    ]
    record_events(events=events, shopper=shopper, sender=Sender.SERVER)
    return order
