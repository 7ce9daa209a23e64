"""A disk that fills up while events come in: what cannot be stored is told of, and room needs no restart."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, group_of

from .database import Cluster
from .ingestion import lose_one
from .stage import NotRunError

TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted duplicates rejected { code } } }"
SMALL, LARGE = 24, 128
"""MB of the disk while it is full, and once there is room."""
BATCH, TEXT, MOST = 50, 1900, 2000
"""Events of a call, characters of each, and calls after which the disk must be full."""


@dataclass
class SmallDisk:
    """Where the shop's database lies, how it is kept small, and how it grows."""

    server: str
    kept_small_by: str
    grow: Callable[[], None]
    shrink_for: Callable[[list[int]], None] = lambda pids: None
    """Keep small what these processes may write, where no disk does that."""


def full_for_events(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """The row: SQLite on a small tmpfs, or PostgreSQL with its tables there."""
    with small_postgresql() if server else small_sqlite(folder) as disk:
        shop = LiveShop(folder, server=disk.server, FAULTS_EVENTS_EACH="1", FAULTS_SHOPPERS="5")
        try:
            return {"small_by": disk.kept_small_by, **filled(shop, disk)}
        finally:
            shop.end()


def filled(shop: LiveShop, disk: SmallDisk) -> dict[str, Any]:
    """Send reviews until one batch is refused; then make room, and send that one again.

    Raises:
        AssertionError: If a refusal is not typed, a part of its batch was stored, or anything acknowledged was not.
    """
    with shop.web() as web:
        disk.shrink_for(group_of(shop.running[-1]))
        acknowledged: list[str] = []
        for _ in range(MOST):
            ids, reply = send(shop, web)
            if reply.status_code != 200:
                break
            acknowledged += ids
        else:
            raise AssertionError("the disk never filled up")
        code = reply.json()["errors"][0]["extensions"]["code"]
        told = (reply.status_code, reply.headers.get("Retry-After"), code)
        assert told == (503, "5", "UNAVAILABLE"), f"on a full disk: {told}"
        stored = stored_ids(shop)
        assert not set(acknowledged) - stored, f"{len(set(acknowledged) - stored)} acknowledged events are not stored"
        assert not set(ids) & stored, f"{len(set(ids) & stored)} events of the refused batch are stored"
        assert shop.list_of(web)["edges"], "no list on a full disk"
        disk.grow()
        again, reply = send(shop, web, ids)
        answer = reply.json()["data"]["trackEvents"]
        assert answer["accepted"] == BATCH, f"with room again: {answer}"
        assert set(again) <= stored_ids(shop)
    if not shop.database:
        assert shop.rows("pragma integrity_check") == [("ok",)]
    lose_one(shop)
    assert {*acknowledged, *again} - stored_ids(shop), "the probe does not see an event that was deleted"
    return {"acknowledged": len(acknowledged), "lost": 0, "refused_as": "503 UNAVAILABLE", "control": "fires"}


def send(shop: LiveShop, web: httpx.Client, ids: list[str] | None = None) -> tuple[list[str], httpx.Response]:
    ids = ids or [uuid.uuid4().hex for _ in range(BATCH)]
    events = [{"id": each, "type": "REVIEW", "sku": "p1", "text": noise(each)} for each in ids]
    headers = {"Authorization": f"Bearer {shop.key}", "X-Shopper": "h1"}
    return ids, web.post("/graphql/", json={"query": TRACK, "variables": {"e": events}}, headers=headers)


def noise(seed: str) -> str:
    """A text that no database makes smaller, the same for the same event."""
    return random.Random(seed).randbytes(TEXT // 2).hex()


def stored_ids(shop: LiveShop) -> set[str]:
    return {str(each).replace("-", "") for (each,) in shop.rows("select id from reco_events_event")}


@contextmanager
def small_sqlite(folder: Path) -> Iterator[SmallDisk]:
    """The shop's folder on a tmpfs; where none may be mounted, a limit on the size of the files of the web process."""
    folder.mkdir(parents=True, exist_ok=True)
    if mounted(folder):
        try:
            yield SmallDisk("", "tmpfs", lambda: remount(folder))
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    limited: list[int] = []

    def shrink(pids: list[int]) -> None:
        limited.extend(pids)
        limit_files(limited, SMALL)

    yield SmallDisk("", "RLIMIT_FSIZE", lambda: limit_files(limited, LARGE), shrink)


def limit_files(pids: list[int], megabytes: int) -> None:
    for pid in pids:
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (megabytes * 2**20, hard))


@contextmanager
def small_postgresql() -> Iterator[SmallDisk]:
    """A server of our own whose databases lie on a small tmpfs; its log of writes does not."""
    with ExitStack() as stack:
        cluster = Cluster()
        stack.callback(cluster.end)
        room = cluster.folder / "room"
        room.mkdir()
        if not mounted(room):
            raise NotRunError("only root, where it may mount, can make a small disk for PostgreSQL")
        stack.callback(subprocess.run, ["umount", "--lazy", str(room)], check=True)
        shutil.chown(room, "postgres")
        place = room / "tables"
        place.mkdir()
        shutil.chown(place, "postgres")
        postgresql.command(cluster.url, f"create tablespace small location '{place}'")
        postgresql.command(cluster.url, "alter role postgres set default_tablespace = 'small'")
        yield SmallDisk(cluster.url, "tmpfs", lambda: remount(room))


def mounted(folder: Path) -> bool:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0


def remount(folder: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,size={LARGE}m", str(folder)], check=True)
