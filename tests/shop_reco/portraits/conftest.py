"""A shopper who does all kinds of things, over a year and more."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal

import pytest

from shop_reco.events.models import Event


@pytest.fixture
def busy(shop, person):
    """400 events of two years before now, of every kind; those older than events are kept came as they were young."""
    draw = random.Random(5)
    products = sorted(shop.products.values(), key=lambda product: product.sku)
    types = ["purchase", "refund", "view_item", "search", "add_to_cart", "view_item_list"]
    Event.objects.filter(shopper=person).delete()
    Event.objects.bulk_create(
        Event(
            id=uuid.uuid5(uuid.NAMESPACE_OID, f"busy/{n}"),
            shopper=person,
            type=(kind := draw.choice(types)),
            product=None if kind in ("search", "view_item_list") else draw.choice(products),
            occurred_at=shop.now - dt.timedelta(days=draw.uniform(0.5, 700)),
            received_at=shop.now,
            quantity=draw.randint(1, 3),
            price=Decimal(draw.randint(50, 900)) / 100 if kind in ("purchase", "refund") else None,
            currency=draw.choice(["USD", "EUR", ""]),
            order=f"o{draw.randint(1, 60)}" if kind == "purchase" else "",
            channel=draw.choice(["web", "store"]),
            query=draw.choice(["green tea", "龙井绿茶", "soft soap"]) if kind == "search" else "",
            digest="",
        )
        for n in range(400)
    )
    return person
