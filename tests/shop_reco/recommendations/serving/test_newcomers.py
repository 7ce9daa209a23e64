"""A product that came after the training is placed by what it is, from the first list on."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations import serving
from shop_reco.recommendations.services import set_enabled
from shop_reco.recommendations.serving import newcomers
from tests.shop_reco.conftest import skus


def add(sku, shelf, **more):
    import_products(
        drafts=[
            ProductDraft(
                sku=sku, title=f"{shelf} {sku}", category=("Shop", shelf), brand="B1", price=Decimal("3"), **more
            )
        ]
    )
    return Product.objects.get(sku=sku)


def test_it_is_scored_by_content_with_reasons_in_a_process_that_served_before(trained, person):
    serving.recommend_for(shopper=person, first=5)
    new = add("Tea-new", "Tea")
    (edge,) = [each for each in serving.recommend_for(shopper=person, first=36).edges if each.product == new]
    assert edge.placed_by == "SCORE"
    assert "FEATURE" in {reason.kind for reason in edge.reasons}
    assert math.fsum(reason.points for reason in edge.reasons) == pytest.approx(edge.score, rel=1e-6)


def test_it_is_among_the_products_like_another_of_its_shelf(trained):
    add("Tea-new", "Tea")
    add("Soap-new", "Soap")
    set_enabled(kind="item_cf", enabled=False)
    like = skus(serving.similar_to(shopper=None, product=trained.products["Tea-1"], first=12))
    assert "Tea-new" in like
    assert "Soap-new" not in like


def test_others_are_like_it(trained):
    new = add("Tea-new", "Tea")
    like = serving.similar_to(shopper=None, product=new, first=6)
    assert {sku.partition("-")[0] for sku in skus(like)} == {"Tea"}


def test_what_was_known_keeps_its_scores(trained, person):
    before = {edge.product.sku: edge.score for edge in serving.recommend_for(shopper=person, first=36).edges}
    add("Tea-new", "Tea")
    after = {edge.product.sku: edge.score for edge in serving.recommend_for(shopper=person, first=36).edges}
    assert {sku: after[sku] for sku in before} == pytest.approx(before)


def test_a_newcomer_that_is_hidden_or_sold_out_is_in_no_list(trained, person):
    new = add("Tea-new", "Tea")
    serving.recommend_for(shopper=person, first=5)
    add("Tea-new", "Tea", visible=False)
    assert new.sku not in skus(serving.recommend_for(shopper=person, first=36))
    add("Tea-new", "Tea", stock=3)
    assert new.sku in skus(serving.recommend_for(shopper=person, first=36))


def test_of_a_big_import_the_newest_are_placed(trained, monkeypatch):
    monkeypatch.setattr(newcomers, "MOST", 1)
    set_enabled(kind="item_cf", enabled=False)
    for sku in ("Tea-new", "Tea-newer"):
        add(sku, "Tea")
    like = skus(serving.similar_to(shopper=None, product=trained.products["Tea-1"], first=12))
    assert "Tea-newer" in like
    assert "Tea-new" not in like


def test_a_list_never_fails_for_a_newcomer(trained, person, monkeypatch):
    def broken(**kwargs):
        raise ValueError("no")

    monkeypatch.setattr(newcomers, "catalogue_of", broken)
    add("Tea-new", "Tea")
    served = serving.recommend_for(shopper=person, first=5)
    assert served.rung == "PERSONAL"
    assert len(served.edges) == 5


def test_nothing_new_costs_one_query_of_the_memory(trained, django_assert_num_queries):
    from shop_reco.recommendations.serving.memory import memory

    add("Tea-new", "Tea")
    memory.view()
    with django_assert_num_queries(1):
        memory.view()
