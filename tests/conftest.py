"""A small shop that every test may use."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone, translation

from tests.planted import Planted, all_rows

SERVICES = {"PostgreSQL": "TESTED_ON_POSTGRESQL", "Redis": "TEST_REDIS_URL", "RabbitMQ": "TEST_AMQP_URL"}
SHELVES = {"Tea": 12, "Cheese": 12, "Soap": 12}


@pytest.fixture(autouse=True)
def fresh_process():
    """No test sees the models of another one, nor the language of its last request."""
    from shop_reco.recommendations.serving.memory import memory

    memory.forget()
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def planted():
    """What `shop` and `trained` left when they first ran, by their settings: each is made once."""
    return {}


@pytest.fixture
def shop(db, settings, tmp_path, planted):
    """36 products on three shelves, 30 consenting shoppers with a taste each, nothing trained yet."""
    from shop_reco.products.models import Product

    settings.SHOP_RECO = {**settings.SHOP_RECO, "ARTIFACTS_ROOT": tmp_path / "artifacts"}
    name = "shop", settings_but_folders(settings)
    if name not in planted:
        before = all_rows()
        people, now = plant_shop()
        planted[name] = people, now, Planted.since(before)
    else:
        planted[name][2].put_back()
    people, now, _ = planted[name]
    return SimpleNamespace(
        products={product.sku: product for product in Product.objects.all()}, people=dict(people), now=now
    )


def settings_but_folders(settings):
    return repr({key: value for key, value in settings.SHOP_RECO.items() if not key.endswith("_ROOT")})


def plant_shop():
    """The people by name, and the moment that all of it counts back from."""
    from shop_reco.events.drafts import EventDraft
    from shop_reco.events.imports import import_events
    from shop_reco.products.models import Product
    from shop_reco.products.services import ProductDraft, import_products
    from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers

    import_products(
        drafts=[
            ProductDraft(
                sku=f"{shelf}-{n}",
                title=f"{shelf} {n}",
                category=("Shop", shelf),
                brand=f"B{n % 3}",
                price=Decimal(n + 1),
            )
            for shelf, size in SHELVES.items()
            for n in range(size)
        ]
    )
    products = {product.sku: product for product in Product.objects.all()}
    people = import_shoppers(rows=[ShopperDraft(external_id=f"h{n}") for n in range(30)])
    now = timezone.now()
    import_consents(
        shopper_ids=list(people.values()),
        purposes=["personalisation", "training", "analytics"],
        source="test",
        decided_at=now,
    )
    shelves = list(SHELVES)
    rows = []
    for n in range(30):
        for k in range(8):
            shelf = shelves[n % 3] if k < 6 else shelves[(n + 1) % 3]
            sku = f"{shelf}-{(n // 3 + k * 2) % 12}"
            rows.append(
                EventDraft(
                    id=uuid.uuid5(uuid.NAMESPACE_OID, f"{n}/{k}"),
                    shopper_id=people[f"h{n}"],
                    product_id=products[sku].pk,
                    type="purchase",
                    occurred_at=now - dt.timedelta(days=60 - 7 * k, minutes=n),
                    price=Decimal("2.50"),
                    order=f"o{n}-{k}",
                )
            )
    import_events(rows=rows)
    return people, now


@pytest.fixture
def trained(shop, settings, planted, tmp_path_factory):
    """The same shop with the quick recommenders live."""
    folder, name = settings.SHOP_RECO["ARTIFACTS_ROOT"], ("trained", settings_but_folders(settings))
    if name not in planted:
        before, kept = all_rows(), tmp_path_factory.mktemp("trained") / "artifacts"
        train_quick_recommenders()
        planted[name] = Planted.since(before, folder, kept=kept)
    else:
        planted[name].put_back(folder)
    return shop


def train_quick_recommenders():
    from shop_reco.recommendations.services import request_training
    from shop_reco.recommendations.training import run_next

    for kind in ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again"):
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why


@pytest.fixture
def person(shop):
    from shop_reco.users.models import Shopper

    return Shopper.objects.get(external_id="h0")


def pytest_terminal_summary(terminalreporter):
    """Say loudly which services the run did without."""
    missing = [name for name, variable in SERVICES.items() if variable not in os.environ]
    if missing:
        terminalreporter.section("what did not run")
        terminalreporter.line(f"NOT TESTED HERE: {', '.join(missing)}")


@pytest.fixture(scope="session")
def spark():
    """Spark on two threads of this machine, started once; it takes seconds, so tests that use it are few."""
    from reco_engine.spark import cluster, lacking

    if missing := lacking():
        pytest.skip(f"training with Spark is not tested here: no {', no '.join(missing)} (docs/training.md)")
    with cluster("local[2]", {"spark.driver.memory": "512m"}) as spark:
        yield spark
