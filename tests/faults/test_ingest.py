"""Events sent to real processes while something goes wrong: none acknowledged is lost, none counts twice."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from contextlib import closing

import pytest

from benchmarks.fault_rows.full_disk import full_for_events
from benchmarks.fault_rows.ingestion import kill_web

from . import postgresql

pytestmark = pytest.mark.faults
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted duplicates rejected { code } } }"


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def server(request):
    if request.param == "SQLite":
        return ""
    return postgresql.server() or pytest.skip(
        "PostgreSQL DID NOT RUN: nothing answers, and TEST_DATABASE_URL names none"
    )


def test_a_killed_web_process_loses_no_acknowledged_event_and_counts_none_twice(tmp_path, server):
    found = kill_web(tmp_path, server, events=3000, rounds=2, seed=5)
    assert (found["stored"], found["counted_in_portraits"], found["lost"], found["kills"]) == (3000, 3000, 0, 2)


def send(shop, web, n=1, text=""):
    events = [{"id": str(uuid.uuid4()), "type": "REVIEW", "sku": "p1", "text": text} for _ in range(n)]
    headers = {"Authorization": f"Bearer {shop.key}", "X-Shopper": "h1"}
    started = time.monotonic()
    reply = web.post("/graphql/", json={"query": TRACK, "variables": {"e": events}}, headers=headers)
    return reply, time.monotonic() - started, [event["id"].replace("-", "") for event in events]


def unavailable(reply):
    return (reply.status_code, reply.headers["Retry-After"], reply.json()["errors"][0]["extensions"]["code"]) == (
        503,
        "5",
        "UNAVAILABLE",
    )


def test_a_stranger_who_holds_the_sqlite_file_is_waited_for_and_then_told_of(live):
    web = live.web()
    assert send(live, web)[0].status_code == 200
    with closing(sqlite3.connect(live.folder / "db.sqlite3", isolation_level=None)) as stranger:
        stranger.execute("begin immediate")
        waits = []
        writer = threading.Thread(target=lambda: waits.append(send(live, web)))
        writer.start()
        time.sleep(3)
        stranger.execute("rollback")
        writer.join(10)
        reply, took, _ = waits[0]
        assert reply.json()["data"]["trackEvents"]["accepted"] == 1
        assert took > 2.5

        stranger.execute("begin immediate")
        waits.clear()
        writers = [threading.Thread(target=lambda: waits.append(send(live, web))) for _ in range(3)]
        for each in writers:
            each.start()
        time.sleep(0.5)
        started = time.monotonic()
        assert live.list_of(web)["edges"]
        assert time.monotonic() - started < 4
        for each in writers:
            each.join(10)
        stranger.execute("rollback")
    assert len(waits) == 3
    for reply, took, ids in waits:
        assert unavailable(reply)
        assert took < 11
        assert live.rows("select 1 from reco_events_event where id = ?", *ids) == []
    assert send(live, web)[0].json()["data"]["trackEvents"]["accepted"] == 1


def test_a_disk_that_fills_up_is_told_of_and_a_larger_one_needs_no_restart(tmp_path):
    found = full_for_events(tmp_path / "disk", "", events=0, rounds=1, seed=5)
    assert (found["lost"], found["refused_as"], found["control"]) == (0, "503 UNAVAILABLE", "fires")
