"""What decides a list is told from what is in force: switch something, and the words change."""

from __future__ import annotations

import math

import pytest
from django.utils import translation

from shop_reco.recommendations.models import Rule
from shop_reco.recommendations.services import set_enabled
from shop_reco.recommendations.serving import policy_for, recommend_for
from shop_reco.recommendations.serving.memory import memory
from shop_reco.users.services import decide_consent
from tests.shop_reco.graphql import ask

LATIN = set("abcdefghijklmnopqrstuvwxyz")


def told(shopper=None):
    return {each.name: each for each in policy_for(shopper=shopper).parameters}


def weights(shopper=None):
    return {name: each.weight for name, each in told(shopper).items() if each.weight is not None}


def test_the_shares_are_those_of_the_blend_in_force(trained, person):
    some = {"popularity": 0.5, "trending": 0.2, "content": 0.6, "item_cf": 0.6, "user_cf": 0.3}
    assert weights(person) == pytest.approx({name: weight / 2.2 for name, weight in some.items()})
    assert list(weights(person).values()) == sorted(weights(person).values(), reverse=True)
    assert told(person)["popularity"].text == "23%: how many shoppers chose a product lately"


def test_a_strangers_list_is_told_to_follow_what_sells(trained):
    assert weights() == pytest.approx({"popularity": 1 / 1.2, "trending": 0.2 / 1.2})
    assert told()["personalisation"].text == "You allow no personal lists: nothing that you did is used."


def test_switching_a_recommender_off_changes_the_words(trained, person):
    before = told(person)
    set_enabled(kind="user_cf", enabled=False)
    after = told(person)
    assert "user_cf" in before
    assert "user_cf" not in after
    assert after["popularity"].text == "26%: how many shoppers chose a product lately"
    assert math.fsum(weights(person).values()) == pytest.approx(1)
    kinds = {reason.kind for edge in recommend_for(shopper=person, first=10).edges for reason in edge.reasons}
    assert "SIMILAR_SHOPPERS" not in kinds  # and the list itself follows
    set_enabled(kind="user_cf", enabled=True)
    assert told(person) == before


def test_another_weight_is_told_in_other_words(trained, person):
    before = told(person)["popularity"].text
    blend = memory.models().hybrid.blend
    blend.weights_[list(blend.parts_).index("popularity")] *= 2
    assert told(person)["popularity"].text == "37%: how many shoppers chose a product lately" != before


def test_a_setting_that_changes_is_told(trained, person, settings):
    assert "your newest 1000 actions at most" in told(person)["history"].text
    assert "Purchase 100%, Add to cart 60%" in told(person)["history"].text
    settings.SHOP_RECO = {
        **settings.SHOP_RECO,
        "HISTORY_EVENTS": 50,
        "EVENT_WEIGHTS": {"purchase": 1.0, "view_item": 0.7},
        "PINNED_POINTS": 0.5,
        "MIN_SUPPORT": 7,
    }
    after = told(person)
    assert after["history"].text.endswith("your newest 50 actions at most: Purchase 100%, View 70%.")
    assert "0.5 points" in after["pinned"].text
    assert "fewer than 7 shoppers" in after["min_support"].text


def test_rules_of_the_shop_are_told_while_they_are_in_force(trained, person):
    assert "rules" not in told(person)
    rule = Rule.objects.create(action="boost", product=trained.products["Tea-1"], points=1)
    assert "rules" in told(person)
    rule.delete()
    assert "rules" not in told(person)


def test_whoever_withdraws_is_told_at_once(trained, person):
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    after = told(person)
    assert "history" not in after
    assert "buy_again" not in after
    assert weights(person) == weights()
    assert "refused" in after


def test_with_nothing_trained_the_newest_come_first(shop):
    assert list(told()) == ["newest", "personalisation", "refused"]


def test_the_policy_is_a_field_of_graphql_and_on_the_portrait_page(trained, client):
    document = "{ recommendationPolicy { personalised parameters { name weight text } } }"
    policy = ask(client, document)["data"]["recommendationPolicy"]
    assert policy["personalised"] is False
    assert [each["name"] for each in policy["parameters"]] == list(told())
    page = client.get("/portrait/").content.decode()
    for each in policy["parameters"]:
        assert f'<li data-parameter="{each["name"]}">{each["text"]}</li>' in page


def test_the_policy_speaks_chinese(trained, person):
    with translation.override("zh-hans"):
        texts = [each.text for each in policy_for(shopper=person).parameters]
    assert texts
    assert all(not LATIN & set(text.lower()) for text in texts), texts
