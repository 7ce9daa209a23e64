"""What is sensitive is in no reason and no neighbourhood, in any list of anybody."""

from __future__ import annotations

import pytest

from shop_reco.products.models import Category, Product
from shop_reco.products.services import set_sensitive
from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.services import give_feedback, request_training
from shop_reco.recommendations.serving import bought_together, recommend_for, similar_to
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper

pytestmark = pytest.mark.any_database

QUICK = ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again")


def train():
    for kind in QUICK:
        request_training(kind=kind)
    while (run := run_next()) is not None:
        assert run.state == "done", run.why
    memory.forget()


def all_lists(shop):
    """The home page of each shopper, what goes with each product, and what is like it."""
    for shopper in Shopper.objects.filter(external_id__isnull=False):
        yield recommend_for(shopper=shopper, first=20)
        yield recommend_for(shopper=shopper, placement="again", first=20)
    for product in shop.products.values():
        yield bought_together(shopper=None, products=[product], first=20)
        yield similar_to(shopper=None, product=product, first=20)


def told_of(shop, hidden):
    """Evidence of reasons, and texts that name a product, that are about what is hidden."""
    titles = {product.title for product in Product.objects.filter(pk__in=hidden)}
    found = []
    for served in all_lists(shop):
        for edge in served.edges:
            for reason in edge.reasons:
                found += [each.pk for each in reason.evidence if each.pk in hidden]
                found += [title for title in titles if reason.text.endswith(f" {title}")]
    return found


@pytest.mark.parametrize("shelf", ["Tea", "Cheese", "Soap"])
def test_no_list_tells_of_a_sensitive_product(shop, shelf):
    for shopper in Shopper.objects.filter(external_id__in=["h0", "h1", "h2"]):
        give_feedback(shopper=shopper, product=shop.products[f"{shelf}-1"], kind="like")
    train()
    hidden = {product.pk for sku, product in shop.products.items() if sku.startswith(shelf)}
    assert told_of(shop, hidden)  # the same probe, before anybody said that it is sensitive
    set_sensitive(categories=Category.objects.filter(name=shelf), sensitive=True)
    assert told_of(shop, hidden) == []  # at once, with the models of before
    train()
    assert told_of(shop, hidden) == []
    kept = [reason for slate in Slate.objects.order_by("-served_at")[:132] for item in slate.items
            for reason in item["reasons"]]  # fmt: skip
    assert kept
    assert not [reason for reason in kept if hidden & set(reason["evidence"])]


def test_a_sensitive_product_is_nobody_s_neighbour_after_the_next_training(shop):
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    train()
    hidden = {product.pk for sku, product in shop.products.items() if sku.startswith("Tea")}
    parts = memory.models().hybrid.parts
    assert not hidden & set(parts["item_cf"].item_ids.tolist())
    assert not hidden & set(parts["user_cf"].item_ids.tolist())
    assert not hidden & set(parts["popularity"].item_ids.tolist())
