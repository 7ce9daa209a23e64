"""A copy taken while the shop writes, restored elsewhere; whoever was erased since is erased again."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, free_port, kill, wait_for

from .clients import Buyer, Reader
from .ingestion import lose_one
from .stage import NotRunError

ERASE = "mutation { eraseMe(confirm: true) { receipt errors { code } } }"
ERASED, NEXT = ("h0", "h1"), "h2"
"""Shoppers who leave between the copy and its return, and one who stays."""
NAMED = f"select external_id from reco_users_shopper where external_id in {(*ERASED, NEXT)} order by 1"


def restored(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """The copy is whole, holds what was acknowledged before it began, and forgets who was erased after it."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = LiveShop(folder, server=server)
    first = shop.database
    try:
        port = free_port()
        web, buyer = shop.serve(port), Buyer(port, shop.key, pause=0.0)
        buyer.start()
        wait_for(lambda: len(buyer.acknowledged) >= 50, "events")
        before = set(buyer.acknowledged)
        began = time.monotonic()
        put_back = dumped(shop) if server else copied(shop)
        copying = time.monotonic() - began
        buyer.stop()
        during = len(buyer.acknowledged) - len(before)
        assert during > 0, "nothing was written during the copy"
        for name in ERASED:
            wrong, data = Reader(port, shop.key).post(ERASE, {}, **{"X-Shopper": name})
            assert not wrong, f"an erasure: {wrong}"
            assert data["eraseMe"]["receipt"], f"an erasure: {data}"
        kill(web)
        put_back()
        if not server:
            assert shop.rows("pragma integrity_check") == [("ok",)]
        assert not (lost := before - stored(shop)), f"{len(lost)} events acknowledged before the copy are not in it"
        assert shop.rows(NAMED) == [(name,) for name in (*ERASED, NEXT)]  # the control: the copy does know them
        assert f"{len(ERASED)} shoppers erased again" in shop.run("manage.py", "replay_erasures")
        assert shop.rows(NAMED) == [(NEXT,)], "who was erased is back"
        orphans = "select 1 from reco_events_event where shopper_id not in (select id from reco_users_shopper)"
        assert shop.rows(orphans) == []
        assert "0 shoppers erased again" in shop.run("manage.py", "replay_erasures")
        held = stored(shop)
        lose_one(shop)
        assert held - stored(shop), "the probe does not see an event that was deleted"
        return {"acknowledged_before": len(before), "written_meanwhile": during, "copy_s": round(copying, 2),
                "lost": 0, "erased_again": len(ERASED), "control": "fires"}  # fmt: skip
    finally:
        shop.end()
        if first and first != shop.database:
            postgresql.drop(first)


def stored(shop: LiveShop) -> set[str]:
    return {str(each).replace("-", "") for (each,) in shop.rows("select id from reco_events_event")}


def copied(shop: LiveShop) -> Callable[[], None]:
    """Copy the file by SQLite's own means, a few pages at a time; returns what puts the copy in its place."""
    copy, place = shop.folder / "backup.sqlite3", shop.folder / "db.sqlite3"
    with closing(sqlite3.connect(place)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target, pages=50, sleep=0.005)

    def put_back() -> None:
        for left in shop.folder.glob("db.sqlite3*"):
            left.unlink()
        copy.rename(place)

    return put_back


def dumped(shop: LiveShop) -> Callable[[], None]:
    """Dump the database; returns what restores it into another one, which the shop uses from then on."""
    dump = shop.folder / "backup.dump"
    tool("pg_dump", "--format=custom", f"--file={dump}", shop.database)

    def put_back() -> None:
        other = postgresql.created(urlunsplit(urlsplit(shop.database)._replace(path="/postgres")))
        tool("pg_restore", "--exit-on-error", f"--dbname={other}", str(dump))
        shop.database = shop.environment["FAULTS_DATABASE_URL"] = other

    return put_back


def tool(name: str, *arguments: str) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = str(found[-1]) if found else name
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise NotRunError(f"{name} is not installed") from None
    assert done.returncode == 0, f"{name}: {done.stderr[-1000:]}"
