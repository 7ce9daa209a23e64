"""Each spot of the shop has lists of its own kind, as staff set it up."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from django.utils import timezone

from reco_engine.ranking import Silence
from shop_reco.events.models import Event
from shop_reco.products.filters import ProductFilter
from shop_reco.products.models import Product
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Placement, Rule, Slate
from shop_reco.recommendations.serving.memory import Memory, memory
from shop_reco.users.services import decide_consent
from tests.shop_reco.conftest import skus

KINDS = ["popularity", "trending", "item_cf", "user_cf", "content"]


@pytest.fixture
def home(trained):
    """Sets fields of the home page's placement, as the admin does."""

    def set_(**fields):
        spot = Placement.objects.get(key="home")
        for name, value in fields.items():
            setattr(spot, name, value)
        spot.full_clean()
        spot.save()

    return set_


def sources(served):
    return {reason.source for edge in served.edges for reason in edge.reasons}


def test_what_is_switched_off_here_counts_elsewhere_and_in_no_process_here(home, trained, person):
    other = Memory()
    assert "user_cf" not in other.view().models.placements["home"].switched_off
    home(switched_off=["user_cf", "content"])
    assert not {"user_cf", "content"} & sources(serving.recommend_for(shopper=person))
    assert "content" in sources(serving.similar_to(shopper=person, product=trained.products["Tea-1"]))
    assert other.view().models.placements["home"].switched_off == ["user_cf", "content"]


def test_with_everything_switched_off_here_the_list_is_not_personal(home, person):
    home(switched_off=KINDS)
    served = serving.recommend_for(shopper=person, first=5)
    assert (served.rung, served.personalised, len(served.edges)) == ("NEWEST", False, 5)


def test_a_placement_shows_as_many_as_it_has_room_for_and_the_rest_follows(home, person):
    home(size=3)
    first = serving.recommend_for(shopper=person, first=10)
    second = serving.recommend_for(shopper=person, first=10, after=first.edges[-1].cursor)
    assert [edge.rank for edge in (*first.edges, *second.edges)] == [1, 2, 3, 4, 5, 6]
    assert first.has_next_page


@pytest.mark.parametrize("most", [0, 1, 2])
def test_the_reasons_beyond_those_asked_for_are_summed(home, trained, person, most):
    whole = {edge.product.pk: edge for edge in serving.recommend_for(shopper=person).edges}
    home(reasons=most)
    Rule.objects.create(action="boost", product=next(iter(whole.values())).product, points=0.5)
    for edge in serving.recommend_for(shopper=person).edges:
        told = [reason for reason in edge.reasons if reason.kind != "REMAINDER"]
        assert len(told) <= max(most, sum(reason.kind == "RULE" for reason in told))
        assert sum(reason.kind == "REMAINDER" for reason in edge.reasons) <= 1
        assert math.fsum(reason.points for reason in edge.reasons) == pytest.approx(edge.score, rel=1e-6)
        ruled = sum(reason.points for reason in told if reason.kind == "RULE")
        if edge.product.pk in whole:
            assert edge.score - ruled == pytest.approx(whole[edge.product.pk].score, rel=1e-6)


def test_what_was_bought_returns_when_the_placement_says(home, person):
    bought = dict(Event.objects.filter(shopper=person).values_list("product__sku", "occurred_at"))
    old = {sku for sku, at in bought.items() if at <= timezone.now() - dt.timedelta(days=30)}
    assert old
    assert old < bought.keys()

    def again():
        return set(skus(serving.recommend_for(shopper=person, first=36))) & bought.keys()

    assert again() == set()
    home(repeats="after", repeat_days=30)
    assert again() == old
    home(repeats="always")
    assert again() == bought.keys()


def test_where_nothing_is_personal_the_placement_says_what_is_shown(home, trained, person):
    newest = [product.sku for product in Product.objects.order_by("-pk")[:5]]
    home(fallback="newest")
    assert skus(serving.recommend_for(shopper=None, first=5)) == newest
    assert serving.recommend_for(shopper=person, first=5).rung == "PERSONAL"
    home(fallback="nothing")
    nothing = serving.recommend_for(shopper=None, first=5)
    assert (nothing.edges, nothing.has_next_page) == ([], False)


def test_a_diverse_list_has_more_shelves_for_a_bounded_part_of_its_score(home, person):
    def shelves(served):
        return len({edge.product.category_id for edge in served.edges[:6]})

    plain = serving.recommend_for(shopper=person, first=6)
    home(diversity=0.9, diversity_cost=0.3)
    diverse = serving.recommend_for(shopper=person, first=6)
    assert shelves(diverse) >= shelves(plain)
    assert skus(diverse) != skus(plain)
    best, kept = (sum(edge.score for edge in served.edges) for served in (plain, diverse))
    assert 0.7 * best - 1e-6 <= kept <= best + 1e-6


def test_where_little_is_likely_the_list_says_nothing_but_what_the_shop_pins(home, trained, person):
    whole = serving.recommend_for(shopper=person, first=12)
    home(least_chance=0.5)
    assert skus(serving.recommend_for(shopper=person, first=12)) == skus(whole)  # nothing was learnt of it yet
    between = (whole.edges[3].score + whole.edges[4].score) / 2
    learnt = Silence().fit_lists(
        [np.asarray([between + 1e-9, between - 1e-9])] * 60, [np.eye(2, dtype=bool)[0]] * 60, [8] * 60
    )
    learnt.keep_with(memory.models().hybrid.blend)
    assert skus(serving.recommend_for(shopper=person, first=12)) == skus(whole)[:4]
    home(least_chance=1.0)
    learnt.chances_ *= 0.9
    learnt.keep_with(memory.models().hybrid.blend)
    Rule.objects.create(action="pin", product=trained.products["Soap-7"], rank=1)
    learnt.keep_with(memory.view().models.hybrid.blend)
    assert skus(serving.recommend_for(shopper=person, first=12)) == ["Soap-7"]


def test_explored_places_keep_true_scores_and_log_how_likely_they_were(home, trained, person):
    scores = {edge.product.sku: edge.score for edge in serving.recommend_for(shopper=person, first=36).edges}
    Rule.objects.create(action="pin", product=trained.products["Soap-7"], rank=2)
    Rule.objects.create(action="hide", product=trained.products["Tea-7"])
    home(exploration=0.4)
    tried = set()
    for _ in range(10):
        served = serving.recommend_for(shopper=person, first=6)
        assert len(set(skus(served))) == len(served.edges) == 6
        assert (served.edges[1].product.sku, served.edges[1].placed_by) == ("Soap-7", "RULE")
        mine = [edge for edge in served.edges if edge.placed_by == "EXPLORATION"]
        assert len(mine) == 2  # of five places that nothing is pinned to
        tried |= set(skus(served)) & {edge.product.sku for edge in mine}
        slate = Slate.objects.get(pk=served.slate_id)
        assert slate.seed == slate.id.int >> 65
        for edge, item in zip(served.edges, slate.items, strict=True):
            assert edge.score == pytest.approx(scores[edge.product.sku], rel=1e-5)
            assert 0 < item["propensity"] <= 1
        assert {item["propensity"] for item in slate.items if item["placed_by"] == "EXPLORATION"} != {1.0}
    assert len(tried) > 2
    assert "Tea-7" not in tried


def test_every_click_can_be_credited_to_recommenders(home, person):
    served = serving.recommend_for(shopper=person, first=3)
    for item in Slate.objects.get(pk=served.slate_id).items:
        assert {reason["source"] for reason in item["reasons"]} <= {*KINDS, ""}
        assert [reason for reason in item["reasons"] if reason["source"]]


ROW = 3
"""Queries of the slate's row, which the tests store at once: no buffer takes it."""


def test_a_list_costs_eight_queries_whatever_the_rules_are(home, trained, person, django_assert_num_queries):
    for target in ({"category": trained.products["Tea-1"].category}, {"tag": "sale"}, {"price_min": 3}):
        Rule.objects.create(action="boost", points=0.1, **target)
    home(diversity=0.5, exploration=0.2, reasons=2)
    serving.recommend_for(shopper=person)
    # revisions, links, opinions, consents, events, purchases, edits of the portrait, rows
    with django_assert_num_queries(8 + ROW):
        serving.recommend_for(shopper=person)
    with django_assert_num_queries(8 + 2 + ROW):
        serving.recommend_for(shopper=person, first=4, filter=ProductFilter(category="tea"))


def test_who_does_not_consent_is_asked_nothing_of_their_doing(home, person, django_assert_num_queries):
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    serving.recommend_for(shopper=person)
    with django_assert_num_queries(6 + ROW):
        serving.recommend_for(shopper=person)
