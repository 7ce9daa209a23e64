"""A list for staff: as it is served, term by term, and as it would be if something were otherwise."""

from __future__ import annotations

import math

import pytest

from shop_reco.portraits.services import edit_interests
from shop_reco.products.models import Category
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Rule, Slate
from shop_reco.recommendations.services import give_feedback, set_enabled
from shop_reco.recommendations.serving import Supposed, supposed_list
from shop_reco.recommendations.serving.slates import buffer
from tests.shop_reco.conftest import skus


def explored(person, placement="home", first=10, **supposed):
    return supposed_list(shopper=person, placement=placement, first=first, supposed=Supposed(**supposed))


@pytest.mark.parametrize("placement", ["home", "popular", "again", "trending", "search"])
def test_it_is_the_list_that_is_served(trained, person, placement):
    served = serving.recommend_for(shopper=person, placement=placement, first=10)
    shown = explored(person, placement)
    assert skus(shown) == skus(served)
    assert [edge.score for edge in shown.edges] == pytest.approx([edge.score for edge in served.edges], rel=1e-3)


def test_every_term_is_told_and_they_sum_to_the_score(trained, person):
    for edge in explored(person).edges:
        assert math.fsum(term.points for term in edge.reasons) == pytest.approx(edge.score)
        assert "REMAINDER" not in {term.kind for term in edge.reasons if abs(term.points) > 1e-9}


def test_nothing_is_recorded(trained, person, monkeypatch):
    monkeypatch.setattr(buffer, "put", lambda slate: pytest.fail("a list was recorded"))
    explored(person)
    assert not Slate.objects.exists()


@pytest.mark.parametrize("kind", ["user_cf", "item_cf", "content"])
def test_a_recommender_that_is_supposed_off_is_as_good_as_switched_off(trained, person, kind):
    supposed = explored(person, off=frozenset({kind}))
    assert {term.source for edge in supposed.edges for term in edge.reasons}.isdisjoint({kind})
    set_enabled(kind=kind, enabled=False)
    assert skus(supposed) == skus(serving.recommend_for(shopper=person, first=10))


def test_what_is_supposed_not_to_have_happened_is_in_no_reason(trained, person):
    before = explored(person)
    latest = before.history[0]
    after = explored(person, without=frozenset({latest.pk}))
    assert latest.pk not in {row.pk for edge in after.edges for term in edge.reasons for row in term.evidence}
    assert latest.pk not in {row.pk for row in after.history} or after.history == before.history


def test_a_rule_acts_as_if_it_were_saved_and_is_not(trained, person):
    rule = Rule(action="boost", category=Category.objects.get(name="Soap"), points=5)
    supposed = explored(person, first=6, rule=rule)
    assert all(sku.startswith("Soap") for sku in skus(supposed))
    assert not Rule.objects.exists()
    rule.save()
    assert skus(supposed) == skus(serving.recommend_for(shopper=person, first=6))
    lifted = explored(person, first=6, lifted=frozenset({rule.pk}))
    assert skus(lifted) != skus(supposed)


def test_a_rule_of_another_placement_changes_nothing(trained, person):
    rule = Rule(action="hide", placement_id="popular", category=Category.objects.get(name="Tea"))
    assert skus(explored(person, rule=rule)) == skus(explored(person))


def test_what_scores_enough_and_is_not_there_says_why(trained, person):
    products = trained.products
    order = skus(explored(person, "search", first=30))
    hidden, refused, ruled = order[:3]
    Rule.objects.create(action="hide", product=products[ruled])
    give_feedback(shopper=person, product=products[refused], kind="not_interested")
    products[hidden].stock = 0
    products[hidden].save()
    told = {each.product.sku: each for each in explored(person, first=30).passed_over}
    assert told[refused].why == "refused"
    assert (told[ruled].why, told[ruled].rule) == ("rule", Rule.objects.get())
    bought = [each for each in told.values() if each.why == "bought"]
    assert bought
    assert hidden not in skus(explored(person, first=30))


def test_what_the_shopper_blocked_is_told_as_blocked(trained, person):
    edit_interests(shopper=person, block=[("category", "Tea")])
    told = {each.product.sku: each.why for each in explored(person, first=20).passed_over}
    assert {why for sku, why in told.items() if sku.startswith("Tea")} == {"blocked"}


def test_a_history_can_be_tried_without_a_shopper(trained):
    teas = [trained.products[f"Tea-{n}"] for n in (0, 2, 4)]
    tried = supposed_list(shopper=None, placement="home", first=6, history=teas)
    stranger = supposed_list(shopper=None, placement="home", first=6)
    assert skus(tried) != skus(stranger)
    assert [row.sku for row in tried.history] == ["Tea-4", "Tea-2", "Tea-0"]


def test_of_a_list_about_products_the_history_is_what_it_is_about(trained):
    tea = trained.products["Tea-1"]
    shown = supposed_list(shopper=None, placement="similar", first=6, history=[tea])
    assert skus(shown) == skus(serving.similar_to(shopper=None, product=tea, first=6))
