"""Shops with next to nothing in them, and with numbers that are none: they train, and what is learnt is finite."""

from __future__ import annotations

import datetime as dt
import uuid

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import import_events
from shop_reco.events.models import Event
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers
from tests.shop_reco.unchecked import plant

QUICK = ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again")


def shop_of(n_shoppers, n_products, *, settings, tmp_path):
    """Everybody buys everything, at the same moments."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "ARTIFACTS_ROOT": tmp_path / "artifacts"}
    import_products(drafts=[ProductDraft(sku=f"p{n}", title="Thing", category=("All",)) for n in range(n_products)])
    people = import_shoppers(rows=[ShopperDraft(external_id=f"h{n}") for n in range(n_shoppers)])
    now = timezone.now()
    import_consents(
        shopper_ids=list(people.values()), purposes=["personalisation", "training"], source="test", decided_at=now
    )
    rows = [
        EventDraft(
            id=uuid.uuid4(),
            shopper_id=shopper,
            product_id=product,
            type="purchase",
            occurred_at=now - dt.timedelta(days=days),
        )
        for shopper in people.values()
        for product in Product.objects.values_list("pk", flat=True)
        for days in (1, 8)
    ]
    import_events(rows=rows)


def train():
    for kind in QUICK:
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why
    memory.forget()


def assert_finite(folder):
    """Every number of every artifact is one."""
    arrays = list(folder.rglob("*.npy"))
    assert arrays
    for path in arrays:
        values = np.load(path)
        if values.dtype.kind == "f":
            assert np.isfinite(values).all(), path.name
    for path in folder.rglob("*.json"):
        text = path.read_text()
        assert "NaN" not in text
        assert "Infinity" not in text


@pytest.mark.parametrize(("n_shoppers", "n_products"), [(1, 1), (1, 5), (8, 1), (8, 4)])
def test_the_smallest_and_the_most_uniform_shops_train_and_serve(db, settings, tmp_path, n_shoppers, n_products):
    shop_of(n_shoppers, n_products, settings=settings, tmp_path=tmp_path)
    train()
    assert_finite(tmp_path / "artifacts")
    shopper = Shopper.objects.get(external_id="h0")
    lists = [recommend_for(shopper=shopper, placement=spot, first=10) for spot in ("home", "popular", "again")]
    for served in lists:
        assert all(np.isfinite(edge.score) for edge in served.edges)
    again = recommend_for(shopper=shopper, placement="popular", first=10)
    assert [edge.product.pk for edge in again.edges] == [edge.product.pk for edge in lists[1].edges]


def test_numbers_planted_by_sql_do_not_reach_an_artifact(shop):
    bad = [event.pk for event in Event.objects.order_by("pk")[:3]]
    values = (
        {"quantity": "0", "rating": "9e999", "price": "-1"}
        if connection.vendor == "sqlite"
        else {"quantity": "0", "rating": "'Infinity'", "price": "'NaN'"}
    )
    for (column, value), key in zip(values.items(), bad, strict=True):
        name = key.hex if connection.vendor == "sqlite" else key
        plant(f"UPDATE reco_events_event SET {column} = {value} WHERE id = %s", name)
    plant("UPDATE reco_products_product SET price = -7 WHERE sku = 'Tea-3'")
    train()
    run = ModelVersion.objects.filter(state="live").first().run
    found = {rule["name"]: rule["dropped"] + rule["changed"] for rule in run.cleaning["rules"]}
    assert found["impossible_quantities"] == found["impossible_ratings"] == found["impossible_product_prices"] == 1
    assert_finite(reco_settings().ARTIFACTS_ROOT)
