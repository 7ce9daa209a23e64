"""A shopper who does all kinds of things over two years, and a shop with two kinds of shoppers."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal

import pytest

from shop_reco.events.models import Event
from shop_reco.portraits.services import refresh_dirty
from shop_reco.users.models import Shopper


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


@pytest.fixture
def two_kinds(shop, settings):
    """The first 15 shoppers buy each day and much, the others bought twice long ago."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SEGMENT_SHOPPERS": 20, "MIN_SUPPORT": 5}
    Event.objects.all().delete()
    rows = []
    for place, pk in enumerate(sorted(shop.people.values())):
        for n in range(20 if place < 15 else 2):
            days = n if place < 15 else 150 + 10 * n + place
            rows.append(
                Event(
                    id=uuid.uuid4(), shopper_id=pk, type="purchase", digest="", received_at=shop.now,
                    product=shop.products["Tea-1" if place < 15 else "Soap-1"], price=9 if place < 15 else 1,
                    quantity=5 if place < 15 else 1, order=f"{pk}/{n}", currency="USD",
                    occurred_at=shop.now - dt.timedelta(days=days),
                )
            )  # fmt: skip
    Event.objects.bulk_create(rows)
    refresh_dirty()
    return [Shopper.objects.get(pk=pk) for pk in sorted(shop.people.values())]


def view(shop, shopper, product):
    """A look at a product, a day ago."""
    Event.objects.create(
        id=uuid.uuid4(), shopper=shopper, product=product, type="view_item", digest="", received_at=shop.now,
        occurred_at=shop.now - dt.timedelta(days=1),
    )  # fmt: skip


@pytest.fixture
def looking(shop, two_kinds):
    """The two kinds, of whom the second looked at a soap of late, and all at a cheese."""
    for place, each in enumerate(two_kinds):
        view(shop, each, shop.products["Cheese-1"])
        if place >= 15:
            view(shop, each, shop.products["Soap-1"])
    return two_kinds
