"""What is served, taken in and refused is counted by words of ours."""

from __future__ import annotations

import queue
from types import SimpleNamespace

import pytest

from shop_reco import hints
from shop_reco.measures import refused
from shop_reco.measures.metrics import registry
from shop_reco.recommendations.serving import recommend_for
from tests.shop_reco.graphql import ask

TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"


def _named(sample):
    return (sample.name, *sorted(sample.labels.items()))


@pytest.fixture
def counted():
    """How much a metric has grown in this test."""
    before = {_named(sample): sample.value for family in registry.collect() for sample in family.samples}

    def grown(name, **labels):
        return (registry.get_sample_value(name, labels) or 0) - before.get((name, *sorted(labels.items())), 0)

    return grown


def test_a_list_is_counted_by_its_rung_with_its_items(trained, person, counted):
    recommend_for(shopper=person, first=5)
    recommend_for(shopper=None, first=5)
    assert counted("shop_reco_lists_total", strategy="personal", rung="PERSONAL") == 1
    assert counted("shop_reco_lists_total", strategy="personal", rung="POPULAR") == 1
    assert counted("shop_reco_slate_items_sum", strategy="personal") == 10


def test_events_are_counted_by_what_became_of_them(shop, client, counted):
    events = [{"id": "00000000-0000-4000-8000-000000000001", "type": "VIEW_ITEM", "sku": "Tea-1"}] * 2
    answer = ask(client, TRACK, {"e": events})
    assert [each["code"] for each in answer["data"]["trackEvents"]["rejected"]] == ["CONSENT_REQUIRED"] * 2
    assert counted("shop_reco_events_total", sender="browser", outcome="rejected") == 2
    assert counted("shop_reco_events_rejected_total", sender="browser", code="CONSENT_REQUIRED") == 2
    assert counted("shop_reco_events_total", sender="browser", outcome="accepted") == 0


def test_refusals_are_counted_by_code_whichever_door_refused(db, client, counted):
    client.get("/graphql/")
    ask(client, "{ nothing }")
    client.post("/webhooks/nobody/", {}, content_type="application/json")
    for code in ("METHOD", "BAD_DOCUMENT", "UNKNOWN_SOURCE"):
        assert counted("shop_reco_refusals_total", code=code) == 1


def test_what_is_no_code_of_ours_is_no_label(counted):
    for text in ("canary.mail@example.com", "", "Canary", "A" * 99):
        refused(text)
    assert counted("shop_reco_refusals_total", code="OTHER") == 4


def test_a_hint_that_finds_no_room_is_counted(monkeypatch, counted):
    monkeypatch.setattr(hints, "_ensure_publisher", lambda: None)
    monkeypatch.setattr(hints, "_waiting", queue.Queue(maxsize=1))
    monkeypatch.setattr(hints, "_offered", set())
    task = SimpleNamespace(name="a task")
    assert hints.offer(task, 1)
    assert not hints.offer(task, 2)
    assert counted("shop_reco_hints_lost_total") == 1
