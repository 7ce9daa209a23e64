"""A reason that a shopper called wrong is not told of that product again, from the next list on."""

from __future__ import annotations

import math

import pytest

from reco_engine.types import Reason, Recommendation
from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.disputes import disputes, undisputed
from shop_reco.users.models import Shopper

SILENT = {"REMAINDER", "RULE"}


def foremost(edge):
    told: dict[str, float] = {}
    for reason in edge.reasons:
        if reason.kind not in SILENT:
            told[reason.kind] = told.get(reason.kind, 0.0) + reason.points
    return max(told, key=told.get)


def edge_of(shopper, product):
    return next(each for each in recommend_for(shopper=shopper, first=36).edges if each.product == product)


def test_the_foremost_reason_is_not_told_again_and_the_score_stays(trained, person):
    served = recommend_for(shopper=person, first=36)
    edge = served.edges[0]
    wrong = foremost(edge)
    give_feedback(shopper=person, product=edge.product, kind="wrong_reason", slate_id=served.slate_id)
    again = edge_of(person, edge.product)
    assert wrong not in {reason.kind for reason in again.reasons}
    assert again.score == pytest.approx(edge.score, rel=1e-3)  # it ages with the clock
    assert math.fsum(reason.points for reason in again.reasons) == pytest.approx(again.score, rel=1e-6)


def test_other_products_and_other_shoppers_are_told_as_before(trained, person):
    served = recommend_for(shopper=person, first=36)
    wrong = foremost(served.edges[0])
    other = Shopper.objects.get(external_id="h3")
    give_feedback(shopper=person, product=served.edges[0].product, kind="wrong_reason", slate_id=served.slate_id)
    assert any(r.kind == wrong for e in recommend_for(shopper=person, first=36).edges for r in e.reasons)
    assert disputes(shopper_ids=[other.pk]) == {}


def test_a_second_wrong_reason_adds_to_the_first(trained, person):
    product = recommend_for(shopper=person, first=1).edges[0].product
    wrong = set()
    for _ in range(2):
        served = recommend_for(shopper=person, first=36)
        edge = next(each for each in served.edges if each.product == product)
        wrong.add(foremost(edge))
        give_feedback(shopper=person, product=product, kind="wrong_reason", slate_id=served.slate_id)
    assert len(wrong) == 2
    assert set(Feedback.objects.get().disputed) == wrong


def test_without_the_list_every_kind_of_reason_is_meant(trained, person):
    product = recommend_for(shopper=person, first=1).edges[0].product
    give_feedback(shopper=person, product=product, kind="wrong_reason")
    assert {reason.kind for reason in edge_of(person, product).reasons} <= SILENT


def test_each_recommender_keeps_its_points():
    item = Recommendation(
        1,
        1.0,
        (
            Reason("history_item", 0.5, (2,), 9, "item_cf"),
            Reason("feature", 0.25, (2,), 0, "content"),
            Reason("history_item", 0.125, (3,), 9, "item_cf"),
            Reason("remainder", 0.125),
        ),
    )
    told = undisputed(item, {1: {"history_item"}})
    assert [(r.kind, r.points, r.evidence, r.source) for r in told.reasons] == [
        ("feature", 0.25, (2,), "content"),
        ("remainder", 0.125, (), ""),
        ("remainder", 0.625, (), "item_cf"),
    ]
    assert undisputed(item, {2: {"history_item"}}) is item
