"""Whoever asks for too much is told when to come again; whoever shops beside them notices nothing."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from shop_reco.addresses import address_of
from shop_reco.api import spending
from shop_reco.users.allowances import Allowances
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

CHEAP = "{ me { known } }"  # a point for the request, and one for what it asks for
ACCEPT = "mutation { updateConsent(input: {personalisation: true}) { errors { code } } }"


@pytest.fixture
def limits(db, settings, monkeypatch):
    """Ten points a visitor and a tenth of a point back in a second; twice that for an address and for a server."""
    monkeypatch.setattr(spending, "allowances", Allowances(lambda: 0.0, tell=Allowances.tell))
    given = {"RATE_POINTS": 10, "RATE_REFILL": 0.1, "RATE_SHARED": 2, "RATE_SERVER": 2}
    settings.SHOP_RECO = {**settings.SHOP_RECO, **given}


def post(client, document=CHEAP, **more):
    return client.post("/graphql/", {"query": document}, content_type="application/json", **more)


def test_an_address_that_asks_for_too_much_is_told_when_to_come_again(limits, client):
    answers = [post(client) for _ in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    last = answers[-1]
    assert last.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert last["Retry-After"] == "5"
    assert "again in 5 s" in last.json()["errors"][0]["message"]


def test_what_is_left_is_told(limits, client):
    told = [post(client).json()["extensions"]["rate"] for _ in range(2)]
    assert told == [{"left": 18, "perSecond": 0.2}, {"left": 16, "perSecond": 0.2}]


def test_a_visitor_has_less_than_the_address_behind_which_many_shop(limits, client, settings):
    settings.DEBUG = True  # the visitor's cookie of http
    assert post(client, ACCEPT).status_code == 200
    some = "{ products(first: 20) { edges { node { id } } } }"  # five points
    assert [post(client, some).status_code for _ in range(3)] == [200, 200, 429]
    assert post(Client(REMOTE_ADDR="203.0.113.9")).status_code == 200


def test_a_server_spends_by_its_key_from_wherever_it_asks(limits, client):
    keys = [{"Authorization": f"Bearer {issue_key(name=name, scopes=['lists:read'])[1]}"} for name in "ab"]
    answers = [post(client, headers=keys[0], REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    assert post(client, headers=keys[1]).status_code == 200


def test_a_refused_document_costs_a_point(limits, client):
    codes = [post(client, "{ " + "me { known } " * 61 + "}").status_code for _ in range(21)]
    assert codes == [400] * 20 + [429]


def test_costly_operations_spend_more(limits, client):
    document = "{ products(first: 40) { edges { node { id } } } }"
    assert [post(client, document).status_code for _ in range(3)] == [200, 200, 429]


def test_the_events_of_pages_are_paid_for_as_well(limits, client):
    def send(n):
        headers = {"Origin": "http://testserver"}
        return client.post("/events/beacon/", json.dumps([{}] * n), content_type="text/plain", headers=headers)

    assert [send(90).status_code for _ in range(3)] == [200, 200, 429]


def test_without_a_limit_nothing_is_counted(limits, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_POINTS": 0}
    assert {post(client).status_code for _ in range(40)} == {200}
    assert ask(client, CHEAP)["extensions"]["rate"] == {}


def test_a_forged_header_changes_no_address(rf, settings):
    forged = {"REMOTE_ADDR": "203.0.113.9", "headers": {"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}}
    assert address_of(rf.post("/", **forged)) == "203.0.113.9/32"
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_TRUSTED": 1}
    assert address_of(rf.post("/", **forged)) == "198.51.100.2/32"
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_TRUSTED": 3}
    assert address_of(rf.post("/", **forged)) == "203.0.113.9/32"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9/32"),
        ("", "unknown"),
        ("not one", "unknown"),
        ("10.0.0.7", "10.0.0.7/32"),
    ],
)
def test_an_address_of_the_newer_kind_counts_by_its_network(rf, address, network):
    assert address_of(rf.post("/", REMOTE_ADDR=address)) == network
