"""A database that cannot write now: a typed answer, nothing acknowledged, and all is well once it can."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from django.db import connection, transaction

from shop_reco.events.models import Event
from shop_reco.users.models import Shopper
from shop_reco.users.services import issue_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted } }"


@pytest.fixture
def track(shop, client):
    headers = {"Authorization": f"Bearer {issue_key(name='server', scopes=['events:write'])[1]}", "X-Shopper": "h0"}

    def send(n=1, *, text="", **more):
        events = [{"id": str(uuid.uuid4()), "type": "REVIEW", "sku": "Tea-1", "text": text} for _ in range(n)]
        body = {"query": TRACK, "variables": {"e": events}}
        return client.post("/graphql/", body, content_type="application/json", headers={**headers, **more})

    return send


def refused(reply):
    (error,) = reply.json()["errors"]
    assert reply.json().get("data") is None
    assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    assert error["extensions"]["code"] == "UNAVAILABLE"
    assert "database" not in error["message"]
    return True


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own limit on the size of its file")
def test_a_full_disk_acknowledges_nothing_and_works_again_with_room(track):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages + 20}")
        try:
            for _ in range(50):
                before = Event.objects.count()
                if (reply := track(20, text="x" * 4000)).status_code != 200:
                    break
            assert refused(reply)
            assert Event.objects.count() == before
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert track(20).json()["data"]["trackEvents"]["accepted"] == 20
    assert Event.objects.count() == before + 20


def holding(seconds, begun):
    """Keeps every other writer of the shopper's events waiting."""
    with transaction.atomic():
        Shopper.objects.select_for_update().get(external_id="h0")
        begun.set()
        time.sleep(seconds)


def sent_during(seconds, track):
    begun, answers = threading.Event(), []

    def send():
        begun.wait(10)
        started = time.monotonic()
        answers.append((track(), time.monotonic() - started))

    at_once(lambda: holding(seconds, begun), send)
    return answers[0]


def test_a_lock_of_some_seconds_is_waited_for(track):
    reply, took = sent_during(1.5, track)
    assert reply.json()["data"]["trackEvents"]["accepted"] == 1
    assert took > 1


def test_a_lock_that_stays_is_told_after_some_seconds(track):
    before = Event.objects.count()
    reply, took = sent_during(12, track)
    assert refused(reply)
    assert 4 < took < 11
    assert Event.objects.count() == before
    assert track().json()["data"]["trackEvents"]["accepted"] == 1


def test_naming_an_unknown_shopper_meanwhile_is_told_too(track):
    if connection.vendor != "sqlite":
        pytest.skip("another row is not locked on PostgreSQL")
    begun, answers = threading.Event(), []

    def send():
        begun.wait(10)
        answers.append(track(**{"X-Shopper": "never seen"}))

    at_once(lambda: holding(6, begun), send)
    assert refused(answers[0])
