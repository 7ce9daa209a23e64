"""Fake shoppers who push a product move it in nobody's list; with the guard off the same attack does."""

from __future__ import annotations

import datetime as dt
import uuid

import numpy as np
import pytest

from shop_reco.events.cleaning import training_interactions
from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import import_events
from shop_reco.events.selectors import flags_in_force
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers

pytestmark = pytest.mark.any_database

TARGET = "Soap-11"
OFF = {"hammering": False, "bots": False, "daily_cap": False}


def train():
    for kind in ("popularity", "trending", "item_cf", "user_cf"):
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why
    memory.forget()


def do(shop, people, kind, *, times):
    """Each of these shoppers does it so often to the target, half a minute apart, yesterday."""
    import_events(
        rows=[
            EventDraft(
                id=uuid.uuid4(),
                shopper_id=pk,
                product_id=shop.products[TARGET].pk,
                type=kind,
                occurred_at=shop.now - dt.timedelta(days=1, seconds=30 * n),
            )
            for pk in people
            for n in range(times)
        ]
    )


def newcomers(shop, n):
    people = import_shoppers(rows=[ShopperDraft(external_id=f"fake{k}") for k in range(n)])
    import_consents(shopper_ids=list(people.values()), purposes=["training"], source="test", decided_at=shop.now)
    return list(people.values())


def mean_rank(shop):
    """Where the target stands in the lists of the real shoppers, on average."""
    ranks = []
    for shopper in Shopper.objects.filter(external_id__startswith="h"):
        listed = [edge.product.sku for edge in recommend_for(shopper=shopper, first=36).edges]
        if TARGET in listed:
            ranks.append(listed.index(TARGET) + 1)
    assert ranks
    return float(np.mean(ranks))


@pytest.mark.parametrize("n_fakes", [15, 40])
def test_a_group_that_pushes_a_product_gains_nothing_and_is_flagged(shop, n_fakes):
    train()
    before = mean_rank(shop)
    do(shop, newcomers(shop, n_fakes), "add_to_cart", times=4)
    train()
    assert mean_rank(shop) == before
    assert len(flags_in_force()) == n_fakes


def test_with_the_guard_off_the_same_group_lifts_it(shop, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": OFF}
    train()
    before = mean_rank(shop)
    do(shop, newcomers(shop, 40), "add_to_cart", times=4)
    train()
    assert mean_rank(shop) < before - 2
    assert flags_in_force() == {}


def test_a_thousand_views_of_one_visitor_count_as_a_few(shop, settings):
    """Without the cap of a day they would weigh 300, as much as three hundred purchases."""
    (visitor,) = newcomers(shop, 1)
    do(shop, [visitor], "view_item", times=1_000)

    def weight():
        found = training_interactions(until=shop.now)
        return float(found.weights[found.user_ids[found.users] == visitor].sum())

    assert weight() <= 2 * 2.0  # over two days at most
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": OFF}
    assert weight() == pytest.approx(300.0)
