"""What a shopper did and said, as they read it themselves."""

from __future__ import annotations

import pytest

from shop_reco.api.ids import global_id
from shop_reco.events.models import Event
from shop_reco.events.services import track
from shop_reco.products.models import Category
from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor
from tests.shop_reco.graphql import ask

HISTORY = """query($first: Int!, $after: String) { history(first: $first, after: $after) {
    edges { cursor node { type occurredAt product { sku } query quantity price currency } }
    pageInfo { hasNextPage endCursor }
} }"""
SAID = "{ feedback { kind product { sku } } }"
GIVE = "mutation($i: FeedbackInput!) { giveFeedback(input: $i) { ok errors { code } } }"
WITHDRAW = "mutation($i: FeedbackInput!) { withdrawFeedback(input: $i) { ok errors { code } } }"
LISTED = "{ recommendations(first: 36) { edges { node { sku } feedback } } }"


@pytest.fixture
def asks(trained, client):
    plain = issue_key(name="server", scopes=["lists:read", "events:write"])[1]

    def asks_(name, query, variables=None):
        headers = {"Authorization": f"Bearer {plain}"} | ({"X-Shopper": name} if name else {})
        return ask(client, query, variables, **headers)

    return asks_


def input_of(shop, sku, kind):
    return {"i": {"product": global_id("Product", shop.products[sku].public_id), "kind": kind}}


def test_the_history_is_ones_own_newest_first_page_by_page(asks):
    seen, after = [], None
    for n in (3, 3, 2):
        page = asks("h0", HISTORY, {"first": 3, "after": after})["data"]["history"]
        assert len(page["edges"]) == n
        seen += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert not page["pageInfo"]["hasNextPage"]
    assert [each["occurredAt"] for each in seen] == sorted((each["occurredAt"] for each in seen), reverse=True)
    mine = Event.objects.filter(shopper__external_id="h0").order_by("-occurred_at")
    assert [each["product"]["sku"] for each in seen] == list(mine.values_list("product__sku", flat=True))
    assert {(each["type"], each["price"]) for each in seen} == {("PURCHASE", "2.50")}


def test_what_a_visitor_did_before_they_signed_in_is_theirs(asks, trained):
    visitor, account = create_visitor(), Shopper.objects.get(external_id="h0")
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    track(shopper=visitor, type="view_item", product=trained.products["Soap-9"])
    link_visitor(visitor=visitor, account=account)
    first = asks("h0", HISTORY, {"first": 1})["data"]["history"]["edges"][0]["node"]
    assert (first["type"], first["product"]["sku"]) == ("VIEW_ITEM", "Soap-9")


def test_nothing_is_told_of_a_sensitive_product(asks, trained):
    track(shopper=Shopper.objects.get(external_id="h0"), type="view_item", product=trained.products["Soap-9"])
    Category.objects.filter(name="Soap").update(sensitive=True)
    first = asks("h0", HISTORY, {"first": 1})["data"]["history"]["edges"][0]["node"]
    assert (first["type"], first["product"]) == ("VIEW_ITEM", None)


def test_a_cursor_of_somebody_elses_event_is_none(asks):
    theirs = Event.objects.filter(shopper__external_id="h1").first()
    for after in (global_id("Event", theirs.pk), global_id("Product", theirs.pk), "zzz"):
        told = asks("h0", HISTORY, {"first": 2, "after": after})
        assert told["errors"][0]["extensions"]["code"] in ("BAD_CURSOR", "BAD_ID")


def test_a_stranger_did_and_said_nothing(asks):
    assert asks(None, HISTORY, {"first": 5})["data"]["history"]["edges"] == []
    assert asks(None, SAID)["data"]["feedback"] == []


def test_what_was_said_is_listed_stands_in_the_lists_and_is_taken_back(asks, trained):
    sku = asks("h0", LISTED)["data"]["recommendations"]["edges"][0]["node"]["sku"]
    wish = input_of(trained, sku, "LIKE")
    asks("h0", GIVE, wish)
    assert asks("h0", SAID)["data"]["feedback"] == [{"kind": "LIKE", "product": {"sku": sku}}]
    said = {e["node"]["sku"]: e["feedback"] for e in asks("h0", LISTED)["data"]["recommendations"]["edges"]}
    assert said.pop(sku) == ["LIKE"]
    assert set(map(tuple, said.values())) == {()}
    for _ in range(2):
        assert asks("h0", WITHDRAW, wish)["data"]["withdrawFeedback"] == {"ok": True, "errors": []}
    assert asks("h0", SAID)["data"]["feedback"] == []


def test_a_no_that_is_taken_back_lets_the_product_return(asks, trained):
    sku = asks("h0", LISTED)["data"]["recommendations"]["edges"][0]["node"]["sku"]

    def listed():
        return [edge["node"]["sku"] for edge in asks("h0", LISTED)["data"]["recommendations"]["edges"]]

    for kind in ("NOT_INTERESTED", "ALREADY_HAVE", "DISLIKE"):
        asks("h0", GIVE, input_of(trained, sku, kind))
        assert sku not in listed()
        asks("h0", WITHDRAW, input_of(trained, sku, kind))
        assert sku in listed()


def test_nobody_takes_back_what_another_said(asks, trained):
    give_feedback(shopper=Shopper.objects.get(external_id="h1"), product=trained.products["Tea-1"], kind="like")
    asks("h0", WITHDRAW, input_of(trained, "Tea-1", "LIKE"))
    assert Feedback.objects.filter(shopper__external_id="h1").count() == 1


def test_a_stranger_has_nothing_to_take_back(asks, client, trained):
    told = ask(client, WITHDRAW, input_of(trained, "Tea-1", "LIKE"))["data"]["withdrawFeedback"]
    assert told == {"ok": False, "errors": [{"code": "CONSENT_REQUIRED"}]}


def test_categories_are_asked_for_level_by_level(asks):
    below = "query($below: String) { categories(below: $below) { name slug } }"
    (root,) = asks(None, below, {"below": ""})["data"]["categories"]
    assert root["name"] == "Shop"
    names = [each["name"] for each in asks(None, below, {"below": root["slug"]})["data"]["categories"]]
    assert names == ["Cheese", "Soap", "Tea"]
    assert len(asks(None, below)["data"]["categories"]) == 4
    assert asks(None, below, {"below": "nowhere"})["data"]["categories"] == []
