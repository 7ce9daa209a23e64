"""Nobody learns what one shopper did from a list or a reason: small groups stand behind nothing.

The probe is a twin: an account made up to look like its victim in all that is known of them, which then looks
for the one thing that only the victim bought.
"""

from __future__ import annotations

import datetime as dt
import uuid

import numpy as np
import pytest

from shop_reco.events.cleaning import training_interactions
from shop_reco.events.drafts import EventDraft
from shop_reco.events.engine import live_history
from shop_reco.events.imports import import_events
from shop_reco.events.models import Event
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations.engine import recommender_settings
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import bought_together, recommend_for
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.selectors import linked_ids
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers

QUICK = ("popularity", "trending", "item_cf", "user_cf", "content")
PERSONAL = {"SIMILAR_SHOPPERS", "HISTORY_ITEM"}


@pytest.fixture(autouse=True)
def guarded(settings):
    """The shop as it comes; the other tests' little shops have small groups only."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 5}


@pytest.fixture
def secret(shop):
    """A product that only h0 bought, and a twin of h0 who did not."""
    import_products(drafts=[ProductDraft(sku="secret", title="Secret", category=("Shop", "Other"), brand="Own")])
    product = Product.objects.get(sku="secret")
    bought(shop, shop.people["h0"], product)
    return product


@pytest.fixture
def twin(shop, secret):
    people = import_shoppers(rows=[ShopperDraft(external_id="twin")])
    import_consents(shopper_ids=list(people.values()), purposes=["personalisation"], source="test", decided_at=shop.now)
    copied = Event.objects.filter(shopper=shop.people["h0"]).exclude(product=secret)
    import_events(
        rows=[
            EventDraft(
                id=uuid.uuid4(),
                shopper_id=people["twin"],
                product_id=event.product_id,
                type="view_item",
                occurred_at=event.occurred_at,
            )
            for event in copied
        ]
    )
    return Shopper.objects.get(external_id="twin")


def bought(shop, shopper_id, product, days=3):
    when = shop.now - dt.timedelta(days=days)
    row = EventDraft(
        id=uuid.uuid4(), shopper_id=shopper_id, product_id=product.pk, type="purchase", occurred_at=when, order="s"
    )
    import_events(rows=[row])


def train(*kinds):
    for kind in kinds or QUICK:
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why
    memory.forget()


def edges(shopper, product):
    return [edge for edge in recommend_for(shopper=shopper, first=50).edges if edge.product.pk == product.pk]


def opinions(shop, shopper, product):
    """What each part says of the product to this shopper."""
    history = live_history(shopper_ids=linked_ids(shopper=shopper))
    parts = memory.models().hybrid.parts
    return {name: float(part.score([history], items=[product.pk])[0, 0]) for name, part in parts.items()}


def kinds_of(found):
    return {reason.kind for edge in found for reason in edge.reasons if reason.points}


def test_a_twin_learns_nothing_of_what_only_the_victim_bought(shop, secret, twin):
    train()
    said = opinions(shop, twin, secret)
    assert said["item_cf"] == said["user_cf"] == 0.0
    assert not kinds_of(edges(twin, secret)) & PERSONAL
    with_secret = opinions(shop, twin, secret)["content"]
    Event.objects.filter(product=secret).update(product=shop.products["Tea-0"])
    train("content")
    without = opinions(shop, twin, secret)["content"]
    assert with_secret <= 3 * without + 1e-9  # a taking more of nobody in particular: half a one, or one and a half


def test_with_the_guard_off_the_same_probe_names_it(shop, secret, twin, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 1}
    train()
    said = opinions(shop, twin, secret)
    assert said["item_cf"] > 0
    assert said["user_cf"] > 0
    assert kinds_of(edges(twin, secret)) & PERSONAL


def test_four_are_too_few_and_five_are_enough(shop, secret, twin):
    for n in range(1, 4):
        bought(shop, shop.people[f"h{3 * n}"], secret)
    train()
    assert opinions(shop, twin, secret)["user_cf"] == opinions(shop, twin, secret)["item_cf"] == 0.0
    for n in range(4, 10):
        bought(shop, shop.people[f"h{3 * n}"], secret)
    train()
    assert opinions(shop, twin, secret)["user_cf"] > 0


def test_the_devices_of_one_account_are_one_shopper(shop, secret, settings):
    """Nine devices of the victim took the secret together with one product of theirs."""
    other = shop.products["Soap-11"]
    devices = import_shoppers(rows=[ShopperDraft(external_id=f"device{n}") for n in range(9)])
    import_consents(shopper_ids=list(devices.values()), purposes=["training"], source="test", decided_at=shop.now)
    for pk in devices.values():
        bought(shop, pk, secret)
        bought(shop, pk, other)
    train("popularity", "item_cf")
    assert secret in [edge.product for edge in bought_together(shopper=None, products=[other]).edges]
    ShopperLink.objects.bulk_create(
        [ShopperLink(visitor_id=pk, account_id=shop.people["h0"]) for pk in devices.values()]
    )
    train("popularity", "item_cf")
    assert secret not in [edge.product for edge in bought_together(shopper=None, products=[other]).edges]


def test_no_pair_that_is_bought_together_has_fewer_shoppers_than_need_be(shop):
    train("item_cf")
    model = memory.models().hybrid.parts["item_cf"]
    took = training_interactions(until=shop.now).matrix()
    took.data = np.ones_like(took.data)
    together = (took.T @ took).toarray()
    for source in range(model.item_ids.size):
        for target in model.targets_[model.starts_[source] : model.starts_[source + 1]]:
            assert together[source, target] >= 5
    assert (together[~np.eye(len(together), dtype=bool)] < 5).any()  # there were smaller ones to leave out
    assert model.targets_.size > 0


def test_what_the_behaviour_network_knows_of_enough_shoppers_took(shop, secret):
    assert recommender_settings("behaviour_mlp")["min_users"] == 5
    assert recommender_settings("content")["min_support"] == 5
    assert recommender_settings("content_mlp")["min_support"] == 5
