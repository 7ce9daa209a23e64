"""A backup taken while the shop writes is whole, and whoever was erased since it is erased again."""

from __future__ import annotations

import sqlite3
import threading
import uuid

import pytest

pytestmark = pytest.mark.faults
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted } }"
ERASE = "mutation { eraseMe(confirm: true) { receipt errors { code } } }"


def backup(live, name):
    copy = live.folder / name
    with sqlite3.connect(live.folder / "db.sqlite3") as source, sqlite3.connect(copy) as target:
        source.backup(target, pages=50, sleep=0.005)
    return copy


def test_erased_shoppers_are_erased_again_and_acknowledged_events_are_all_there(live):
    client, acknowledged, stop = live.web(), [], threading.Event()

    def ask(document, shopper, variables=None):
        headers = {"Authorization": f"Bearer {live.key}", "X-Shopper": shopper}
        reply = client.post("/graphql/", json={"query": document, "variables": variables or {}}, headers=headers)
        return reply.json()["data"]

    def write():
        while not stop.is_set():
            name = str(uuid.uuid4())
            event = {"id": name, "type": "VIEW_ITEM", "sku": "p1"}
            if ask(TRACK, "h2", {"e": [event]})["trackEvents"]["accepted"] == 1:
                acknowledged.append(name)

    writer = threading.Thread(target=write)
    writer.start()
    while len(acknowledged) < 20:
        stop.wait(0.05)
    before = list(acknowledged)
    copy = backup(live, "backup.sqlite3")
    stop.set()
    writer.join()
    for name in ("h0", "h1"):
        assert ask(ERASE, name)["eraseMe"]["receipt"]
    gone = "select external_id from reco_users_shopper where external_id in ('h0', 'h1')"
    assert live.rows(gone) == []
    live.end()

    for left in live.folder.glob("db.sqlite3*"):
        left.unlink()
    copy.rename(live.folder / "db.sqlite3")
    assert live.rows("pragma integrity_check") == [("ok",)]
    stored = {row[0] for row in live.rows("select id from reco_events_event")}
    assert {uuid.UUID(name).hex for name in before} <= stored
    named = "select external_id from reco_users_shopper where external_id in ('h0', 'h1', 'h2') order by 1"
    assert live.rows(named) == [("h0",), ("h1",), ("h2",)]
    assert "2 shoppers erased again" in live.run("manage.py", "replay_erasures")
    assert live.rows(named) == [("h2",)]
    orphans = "select 1 from reco_events_event where shopper_id not in (select id from reco_users_shopper)"
    assert live.rows(orphans) == []
    assert "0 shoppers erased again" in live.run("manage.py", "replay_erasures")
