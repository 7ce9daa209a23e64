"""Consent withdrawn while an event is on its way: once the withdrawal is answered, nothing more is stored."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connection

from shop_reco.events.models import Event
from shop_reco.users.models import Shopper
from shop_reco.users.services import issue_key

pytestmark = pytest.mark.django_db(transaction=True)
ALLOW = "mutation($i: ConsentInput!) { updateConsent(input: $i) { consents { granted } } }"
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"
ROUNDS, BATCH = 15, 40
ALL = ("personalisation", "training", "analytics")


@pytest.fixture
def client(live_server, settings):
    settings.DEBUG = True  # the visitor cookie of http
    with httpx.Client(base_url=live_server.url, timeout=30) as client:
        yield client


def ask(client, query, variables, **headers):
    reply = client.post("/graphql/", json={"query": query, "variables": variables}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


def views():
    return [{"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "Tea-1"} for _ in range(BATCH)]


def by_the_beacon(client, headers):
    origin = {"Origin": str(client.base_url).rstrip("/")}
    reply = client.post(
        "/events/beacon/", content=json.dumps(views()), headers={"Content-Type": "text/plain", **origin}
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


def by_graphql(client, headers):
    return ask(client, TRACK, {"e": views()}, **headers)["trackEvents"]


@pytest.mark.parametrize("send", [by_the_beacon, by_graphql])
@pytest.mark.parametrize("known_by", ["cookie", "key"])
def test_nothing_is_stored_after_a_withdrawal_was_answered(shop, client, send, known_by):
    if (send, known_by) == (by_the_beacon, "key"):
        pytest.skip("the beacon takes no keys")
    headers = {}
    if known_by == "key":
        plain = issue_key(name="server", scopes=["events:write"])[1]
        headers = {"Authorization": f"Bearer {plain}", "X-Shopper": "racer"}
    outcomes = set()
    for turn in range(ROUNDS):
        ask(client, ALLOW, {"i": dict.fromkeys(ALL, True)}, **headers)
        shopper = Shopper.objects.exclude(external_id__startswith="h").latest("pk")
        before = Event.objects.filter(shopper=shopper).count()

        def withdraw(shopper=shopper):
            ask(client, ALLOW, {"i": dict.fromkeys(ALL, False)}, **headers)
            try:
                return Event.objects.filter(shopper=shopper).count()
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            first, second = (send, withdraw) if turn % 2 else (withdraw, send)
            jobs = {
                job: pool.submit(job) if job is withdraw else pool.submit(job, client, headers)
                for job in (first, second)
            }
            said, answered = jobs[send].result(), jobs[withdraw].result()
        after = Event.objects.filter(shopper=shopper).count()
        assert after == answered, "an event was stored after the withdrawal had been answered"
        assert after - before == said["accepted"]
        codes = {each["code"] for each in said["rejected"]}
        assert codes in (set(), {"CONSENT_REQUIRED"})
        outcomes.add(said["accepted"])
        assert send(client, headers)["accepted"] == 0
    assert outcomes <= {0, BATCH}
