"""What a shopper decides in one web process counts at the next request of every other one."""

from __future__ import annotations

import uuid

import pytest

from .live_shop import wait_for

pytestmark = pytest.mark.faults
ALLOW = "mutation($i: ConsentInput!) { updateConsent(input: $i) { consents { granted } } }"
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"


def ask(live, client, query, variables):
    headers = {"Authorization": f"Bearer {live.key}", "X-Shopper": "h1"}
    return client.post("/graphql/", json={"query": query, "variables": variables}, headers=headers).json()["data"]


def decide(live, client, allowed):
    purposes = dict.fromkeys(("personalisation", "training", "analytics"), allowed)
    ask(live, client, ALLOW, {"i": purposes})


def told(live, client):
    event = {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "p1"}
    return ask(live, client, TRACK, {"e": [event]})["trackEvents"]


def test_a_withdrawal_in_one_process_counts_at_the_next_request_of_another(live):
    live.worker()
    for kind in ("popularity", "user_cf"):
        live.train(kind)
        wait_for(lambda kind=kind: [run[0] for run in live.runs(kind)] == ["done"], f"the training of {kind}")
    one, other = live.web(), live.web()
    for _ in range(3):
        decide(live, one, True)
        assert live.list_of(other)["rung"] == "PERSONAL"
        assert told(live, other) == {"accepted": 1, "rejected": []}
        decide(live, one, False)
        assert live.list_of(other)["rung"] == "POPULAR"
        assert told(live, other) == {"accepted": 0, "rejected": [{"code": "CONSENT_REQUIRED"}]}
