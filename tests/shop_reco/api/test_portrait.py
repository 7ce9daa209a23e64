"""The portrait over GraphQL: in a constant number of queries, edited, and traced to its events."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from shop_reco.events.models import Event
from shop_reco.portraits.services import refresh_dirty
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

PORTRAIT = """{ portrait {
  segment segmentName timeZone events orders spent basket orderInterval hoursOfWeek activeHours channels
  eventCounts { key n } channelCounts { key n } spending { amount currency } months { month amount }
  priceBands { category currency low typical high pieces }
  interests { kind key name above weight state } hidden { kind key } } }"""
EVIDENCE = """query($kind: String!, $key: String!, $first: Int! = 50) {
  portraitEvidence(kind: $kind, key: $key, first: $first) {
    counts { key n } events { type occurredAt product { sku } amount { amount currency } } foldedDays } }"""
EDIT = """mutation($input: InterestsInput!) { editInterests(input: $input) {
  portrait { interests { key state } hidden { key } } errors { code field message } } }"""
TRACK = "mutation($events: [EventInput!]!) { trackEvents(events: $events) { accepted duplicates rejected { code } } }"


@pytest.fixture
def server(shop):
    """A server that speaks for h0."""
    _key, plain = issue_key(name="server", scopes=["events:write", "lists:read"])
    return {"Authorization": f"Bearer {plain}", "X-Shopper": "h0"}


def test_the_whole_portrait_is_told(shop, client, server):
    refresh_dirty()
    portrait = ask(client, PORTRAIT, **server)["data"]["portrait"]
    assert (portrait["events"], portrait["orders"], portrait["spent"]) == (8, 8, "20")
    assert (portrait["segment"], portrait["segmentName"], portrait["timeZone"]) == ("regular", "Regular", "UTC")
    assert portrait["eventCounts"] == [{"key": "purchase", "n": 8}]
    assert portrait["spending"] == [{"amount": "20", "currency": "USD"}]
    assert (portrait["basket"], portrait["orderInterval"]) == (1.0, 7.0)
    assert (sum(portrait["hoursOfWeek"]), len(portrait["hoursOfWeek"]), len(portrait["months"])) == (8, 168, 12)
    tea = next(each for each in portrait["interests"] if each["key"] == "Shop > Tea")
    assert (tea["kind"], tea["name"], tea["above"], tea["state"]) == ("category", "Tea", "Shop", "")
    assert [each["category"] for each in portrait["priceBands"]] == ["Shop > Tea", "Shop > Cheese"]


def test_it_takes_as_many_queries_for_many_interests_as_for_few(shop, client, server, django_assert_max_num_queries):
    refresh_dirty()
    with django_assert_max_num_queries(12) as few:
        ask(client, PORTRAIT, **server)
    person = shop.people["h0"]
    Event.objects.bulk_create(
        Event(
            id=uuid.uuid4(), shopper_id=person, type="view_item", product=product, digest="", received_at=shop.now,
            occurred_at=shop.now,
        )
        for product in shop.products.values()
    )  # fmt: skip
    ask(client, EDIT, {"input": {"pin": [{"kind": "brand", "key": f"b{n}"} for n in range(50)]}}, **server)
    refresh_dirty()
    with django_assert_max_num_queries(12) as many:
        ask(client, PORTRAIT, **server)
    assert len(many) == len(few)


def test_a_late_event_corrects_the_portrait_and_the_same_again_does_not(shop, client, server):
    refresh_dirty()
    late = {
        "id": str(uuid.uuid4()), "type": "PURCHASE", "sku": "Soap-4", "price": "9.99", "currency": "USD",
        "order": "late", "occurredAt": (timezone.now() - dt.timedelta(days=30)).isoformat(),
    }  # fmt: skip
    for accepted in (1, 0):
        reply = ask(client, TRACK, {"events": [late]}, **server)["data"]["trackEvents"]
        assert (reply["accepted"], reply["duplicates"]) == (accepted, 1 - accepted)
        refresh_dirty()
        portrait = ask(client, PORTRAIT, **server)["data"]["portrait"]
        assert (portrait["orders"], portrait["spent"]) == (9, "29.99")
        assert "Shop > Soap" in {each["key"] for each in portrait["interests"]}


def test_an_interest_is_hidden_and_shown_again(shop, client, server):
    refresh_dirty()
    tea = {"kind": "category", "key": "Shop > Tea"}
    reply = ask(client, EDIT, {"input": {"hide": [tea]}}, **server)["data"]["editInterests"]
    assert [each["key"] for each in reply["portrait"]["hidden"]] == ["Shop > Tea"]
    assert "Shop > Tea" not in {each["key"] for each in reply["portrait"]["interests"]}
    reply = ask(client, EDIT, {"input": {"clear": [tea]}}, **server)["data"]["editInterests"]
    assert reply["portrait"]["hidden"] == []
    assert "Shop > Tea" in {each["key"] for each in reply["portrait"]["interests"]}


def test_an_edit_of_no_kind_is_an_error_that_says_what_is_one(shop, client, server):
    reply = ask(client, EDIT, {"input": {"hide": [{"kind": "dance", "key": "x"}]}}, **server)["data"]["editInterests"]
    assert [(each["code"], "category" in each["message"]) for each in reply["errors"]] == [("BAD_FIELD", True)]


def test_each_number_leads_to_its_events(shop, client, server):
    refresh_dirty()
    found = ask(client, EVIDENCE, {"kind": "category", "key": "Shop > Tea"}, **server)["data"]["portraitEvidence"]
    assert found["counts"] == [{"key": "purchase", "n": 6}]
    assert len(found["events"]) == 6
    assert all(each["product"]["sku"].startswith("Tea") for each in found["events"])
    assert found["events"][0]["amount"] == {"amount": "2.5", "currency": "USD"}


@pytest.mark.parametrize(
    ("variables", "code"),
    [({"kind": "dance", "key": "x"}, "BAD_VALUE"), ({"kind": "type", "key": "x", "first": 101}, "BAD_PAGE")],
)
def test_evidence_of_nothing_is_a_typed_error(shop, client, server, variables, code):
    assert ask(client, EVIDENCE, variables, **server)["errors"][0]["extensions"]["code"] == code


def test_nobody_sees_the_events_behind_somebody_elses_portrait(shop, client):
    assert ask(client, EVIDENCE, {"kind": "type", "key": "purchase"})["data"]["portraitEvidence"] is None
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    mine = ask(client, EVIDENCE, {"kind": "type", "key": "purchase"})["data"]["portraitEvidence"]
    assert (mine["counts"], mine["events"]) == ([], [])
