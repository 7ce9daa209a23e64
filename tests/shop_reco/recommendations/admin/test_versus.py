"""Two versions side by side: figures with intervals, and lists of those who came lately."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import translation

from shop_reco.recommendations.admin.comparison import MEASURES
from shop_reco.recommendations.admin.versus import lists, measures
from shop_reco.recommendations.models import ModelVersion, Slate
from shop_reco.recommendations.services import bump_serving_revision, request_training
from shop_reco.recommendations.serving import Supposed, recommend_for, supposed_list
from shop_reco.recommendations.training import run_next

PAGE = "/admin/reco_recommendations/recommender/{}/compare/"


def gate(mean):
    told = {"ndcg": {"mean": mean, "low": mean / 2, "high": mean * 2}}
    return {"comparison": {"sections": {"discovery": {"measured": {"candidate": told}}}}}


@pytest.fixture
def two(trained, person, settings):
    """The live version of item-based CF and the one before it, learnt under another recipe."""
    earlier = ModelVersion.objects.get(recommender="item_cf")
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"item_cf": {"n_targets": 2}}}
    ModelVersion.objects.filter(pk=earlier.pk).update(state="retired")
    request_training(kind="item_cf")
    run_next()
    return ModelVersion.objects.get(recommender="item_cf", state="live"), earlier


def test_a_list_under_another_version_is_the_one_that_it_served(trained, person, two):
    live, earlier = two
    home = {"shopper": person, "placement": "home", "first": 8}
    assert supposed_list(**home, supposed=Supposed(version=live)).ranks() == supposed_list(**home).ranks()
    then = supposed_list(**home, supposed=Supposed(version=earlier))
    ModelVersion.objects.filter(pk=live.pk).update(state="retired")
    ModelVersion.objects.filter(pk=earlier.pk).update(state="live")
    bump_serving_revision()
    assert supposed_list(**home).ranks() == then.ranks()


def test_both_lists_of_a_shopper_stand_side_by_side_under_a_pseudonym(two, person, staff):
    live, earlier = two
    recommend_for(shopper=person, first=5)
    told = lists("item_cf", live, earlier)
    (pair,) = told["pairs"]
    assert pair.who == str(person.public_id)[:8]
    assert len(pair.one) == len(pair.other) == 10
    page = staff.get(PAGE.format("item_cf"), {"one": live.pk, "other": earlier.pk}).content.decode()
    assert pair.who in page
    assert not re.search(r"\bh0\b", page)
    assert Slate.objects.count() == 1  # what is supposed is not kept


def test_a_version_beside_itself_moves_nothing(two, person):
    recommend_for(shopper=person, first=5)
    told = lists("item_cf", two[0], two[0])
    assert (told["up"], told["down"]) == ([], [])
    assert {place.moved for place in told["pairs"][0].other} == {0}


def test_figures_are_told_with_their_intervals_to_one_scale(two):
    live, earlier = two
    live.gate, earlier.gate = gate(0.2), gate(0.1)
    (told,) = measures(live, earlier)
    assert told.one == "0.2000 (95%: 0.1000 to 0.4000)"
    assert told.bars == ((50.0, 25.0, 100.0), (25.0, 12.5, 50.0))


def test_measures_have_chinese_names(two):
    figures = {key: {"mean": 0.2, "low": None, "high": None} for key in MEASURES}
    for version in two:
        version.gate = {"comparison": {"sections": {"discovery": {"measured": {"candidate": figures}}}}}
    with translation.override("zh-hans"):
        told = [each.name for each in measures(*two)]
    assert told[0] == "NDCG"  # by which both are judged
    assert {name for name in told if name.isascii()} == {"NDCG", "MRR", "MAP"}
    assert {"召回率", "命中率", "热门偏差"} <= {*told}


def test_lists_are_for_those_who_may_decide(two, person, client):
    recommend_for(shopper=person, first=5)
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    assert client.get(PAGE.format("item_cf")).status_code == 403
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_recommender", "view_modelversion"]))
    page = client.get(PAGE.format("item_cf"))
    assert page.status_code == 200
    assert str(person.public_id)[:8] not in page.content.decode()


def test_a_version_of_another_recommender_is_not_found(two, staff):
    foreign = ModelVersion.objects.get(recommender="popularity")
    assert staff.get(PAGE.format("item_cf"), {"one": foreign.pk}).status_code == 404


def test_one_version_alone_is_compared_with_nothing(trained, staff):
    assert "There are no two versions" in staff.get(PAGE.format("popularity")).content.decode()
