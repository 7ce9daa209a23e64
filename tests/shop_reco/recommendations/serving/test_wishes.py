"""Rules of the shop and edits of a shopper count in the next list, and say so."""

from __future__ import annotations

import math

import pytest

from shop_reco.portraits.services import edit_interests
from shop_reco.products.models import Brand, Category
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Rule
from shop_reco.recommendations.services import set_enabled
from tests.shop_reco.conftest import skus


def shelf(edge):
    return edge.product.sku.partition("-")[0]


def test_what_a_shopper_blocked_is_in_no_list(trained, person):
    edit_interests(shopper=person, block=[("category", "Tea"), ("brand", "B1")])
    served = [
        *serving.recommend_for(shopper=person, first=30).edges,
        *serving.buy_again_for(shopper=person, first=30).edges,
        *serving.similar_to(shopper=person, product=trained.products["Soap-1"], first=30).edges,
    ]
    assert served
    assert not [edge for edge in served if shelf(edge) == "Tea" or edge.product.brand.name == "B1"]


def test_what_a_shopper_pinned_rises_and_says_why(trained, person):
    before = serving.recommend_for(shopper=person, first=10)
    seldom = min(("Tea", "Cheese", "Soap"), key=lambda name: [shelf(edge) for edge in before.edges].count(name))
    edit_interests(shopper=person, pin=[("category", seldom)])
    after = serving.recommend_for(shopper=person, first=10)
    assert [shelf(e) for e in after.edges].count(seldom) > [shelf(e) for e in before.edges].count(seldom)
    for edge in after.edges:
        assert math.fsum(reason.points for reason in edge.reasons) == pytest.approx(edge.score, rel=1e-6)
        assert ("PINNED" in {reason.kind for reason in edge.reasons}) == (shelf(edge) == seldom)


def evidence(served):
    return {product.sku for edge in served.edges for reason in edge.reasons for product in reason.evidence}


def test_no_list_follows_from_what_a_shopper_hid_and_it_is_no_dislike(trained, person):
    before = serving.recommend_for(shopper=person, first=20)
    assert [sku for sku in evidence(before) if sku.startswith("Tea")]
    edit_interests(shopper=person, hide=[("category", "Tea")])
    after = serving.recommend_for(shopper=person, first=20)
    assert not [sku for sku in evidence(after) if sku.startswith("Tea")]
    assert skus(after) != skus(before)
    assert [edge for edge in serving.recommend_for(shopper=person, first=36).edges if shelf(edge) == "Tea"]
    edit_interests(shopper=person, clear=[("category", "Tea")])
    assert skus(serving.recommend_for(shopper=person, first=20)) == skus(before)


def test_a_keyword_stands_for_the_products_whose_titles_have_the_word(trained, person):
    steak = trained.products["Soap-5"]
    steak.title = "Steak sauce"
    steak.save()
    edit_interests(shopper=person, block=[("keyword", "tea")])
    served = serving.recommend_for(shopper=person, first=36).edges
    assert not [edge for edge in served if shelf(edge) == "Tea"]
    assert steak.sku in skus(serving.recommend_for(shopper=person, first=36))


def test_what_is_pinned_of_a_department_holds_for_all_below_it(trained, person):
    edit_interests(shopper=person, pin=[("category", "Shop")])
    served = serving.recommend_for(shopper=person, first=10)
    assert all("PINNED" in {reason.kind for reason in edge.reasons} for edge in served.edges)


def test_letting_go_of_an_edit_brings_the_old_list_back(trained, person):
    before = skus(serving.recommend_for(shopper=person, first=10))
    edit_interests(shopper=person, block=[("category", "Tea")])
    edit_interests(shopper=person, clear=[("category", "Tea")])
    assert skus(serving.recommend_for(shopper=person, first=10)) == before


def test_a_boost_lifts_a_product_from_far_below_the_page(trained, person):
    last = serving.recommend_for(shopper=person, first=30).edges[-1].product
    Rule.objects.create(action="boost", product=last, points=50)
    first = serving.recommend_for(shopper=person, first=3).edges[0]
    assert first.product == last
    assert first.placed_by == "RULE"
    assert math.fsum(reason.points for reason in first.reasons) == pytest.approx(first.score, rel=1e-6)


def test_a_pinned_product_takes_its_rank_on_its_page_only(trained, person):
    whole = serving.recommend_for(shopper=person, first=12)
    far = serving.recommend_for(shopper=person, first=30).edges[-1].product
    Rule.objects.create(action="pin", product=far, rank=2)
    first = serving.recommend_for(shopper=person, first=6)
    assert first.edges[1].product == far
    assert first.edges[1].placed_by == "RULE"
    assert skus(first)[0] == skus(whole)[0]
    second = serving.recommend_for(shopper=person, first=6, after=first.edges[-1].cursor)
    assert far.sku not in skus(second)
    assert [edge.rank for edge in second.edges] == list(range(7, 13))


def test_a_refused_product_is_not_pinned(trained, person):
    from shop_reco.recommendations.services import give_feedback

    product = serving.recommend_for(shopper=person, first=1).edges[0].product
    Rule.objects.create(action="pin", product=product, rank=1)
    give_feedback(shopper=person, product=product, kind="not_interested")
    assert product.sku not in skus(serving.recommend_for(shopper=person, first=10))


def test_a_hidden_brand_and_category_are_in_no_list_not_even_buy_again(trained, person):
    Rule.objects.create(action="hide", brand=Brand.objects.get(name="B0"))
    Rule.objects.create(action="hide", category=Category.objects.get(name="Tea"))
    served = [
        *serving.recommend_for(shopper=person, first=30).edges,
        *serving.buy_again_for(shopper=person, first=30).edges,
    ]
    assert served
    assert not [edge for edge in served if shelf(edge) == "Tea" or edge.product.brand.name == "B0"]


def test_what_is_bought_again_is_scored_by_chances_that_rules_can_outdo(trained, person):
    plain = serving.buy_again_for(shopper=person, first=30).edges
    assert all(0 <= edge.score <= 1 for edge in plain)
    last, first = plain[-1].product, plain[0].product
    Rule.objects.create(action="boost", product=last, points=1)
    Rule.objects.create(action="boost", product=first, points=-1)
    ruled = serving.buy_again_for(shopper=person, first=30).edges
    assert (ruled[0].product, ruled[-1].product) == (last, first)
    assert ruled[0].score == pytest.approx(plain[-1].score + 1)
    assert ruled[-1].score == pytest.approx(plain[0].score - 1)
    assert [edge.product for edge in ruled[1:-1]] == [edge.product for edge in plain[1:-1]]
    for edge in ruled:
        assert math.fsum(reason.points for reason in edge.reasons) == pytest.approx(edge.score, rel=1e-6)


def test_a_small_boost_breaks_near_ties_and_no_more(trained, person):
    plain = serving.buy_again_for(shopper=person, first=30).edges
    gap = plain[0].score - plain[-1].score
    Rule.objects.create(action="boost", product=plain[-1].product, points=gap / 2)
    assert serving.buy_again_for(shopper=person, first=30).edges[0].product == plain[0].product


def test_no_boost_brings_what_was_never_bought_to_buy_again(trained, person):
    bought = set(skus(serving.buy_again_for(shopper=person, first=30)))
    Rule.objects.create(action="boost", category=Category.objects.get(name="Soap"), points=1)
    assert set(skus(serving.buy_again_for(shopper=person, first=30))) == bought


def test_likeness_counts_more_than_sales_in_a_list_of_similar_products(trained):
    set_enabled(kind="item_cf", enabled=False)
    alike = serving.similar_to(shopper=None, product=trained.products["Soap-1"], first=11)
    assert {shelf(edge) for edge in alike.edges} == {"Soap"}
