"""A Redis and a PostgreSQL that answer nothing and refuse nothing: stopped by a signal, as a stuck disk would."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.live_shop import answers_at, wait_for

from .broker import SLOW, Redis
from .clients import Reader, Visitor, words
from .database import TYPED, Cluster, first_after
from .stage import KINDS, Stage, in_thread

FROZEN = 16.0
"""Seconds for which each stands still: longer than anybody may wait."""
PATIENCE, LIMIT = 2.0, 12.0
"""Seconds for which the web process waits for the database, and after which whoever asked must have been told: they
may have waited for one of four threads, and a thread for a new connection."""
CROWD = 6
"""Readers beside the two clients: more than the web process has threads."""


def stopped(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """First the broker; then, where there is one, the database, while more clients ask than there are threads."""
    with ExitStack() as stack:
        redis = Redis()
        stack.callback(redis.stop)
        cluster = Cluster() if server else None
        if cluster is not None:
            stack.callback(cluster.end)
        stage = stack.enter_context(Stage(folder, cluster.url if cluster else "", broker=redis.url))
        found: dict[str, Any] = {"broker": broker_frozen(stage, redis)}
        if cluster is not None:
            found["database"] = database_frozen(stage, cluster)
        return {**found, "control": "fires", "epilogue": stage.epilogue()}


@contextmanager
def frozen(pids: list[int]) -> Iterator[float]:
    """The processes stand still; told is since when."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield time.monotonic()
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def broker_frozen(stage: Stage, redis: Redis) -> dict[str, Any]:
    """Events and lists go on as before; what was asked for meanwhile is done afterwards."""
    with frozen([redis.process.pid]) as began:
        assert not redis.answers(), "Redis answers: the probe stopped nothing"  # the control: the harm is there
        key = stage.ask(KINDS[0])
        time.sleep(FROZEN)
    lists = stage.said(stage.reader, "PERSONAL", since=began)
    sends = stage.said(stage.buyer, "acknowledged", since=began)
    slowest = max(each.took for client in (stage.reader, stage.buyer) for each in client.since(began))
    assert slowest < SLOW, f"a request took {slowest:.1f} s while the broker stood still"
    state, why = stage.ended(key)
    assert state == "done", f"after the broker's return a run {state}: {why}"
    return {"lists": lists, "sends": sends, "slowest_s": round(slowest, 2)}


def database_frozen(stage: Stage, cluster: Cluster) -> dict[str, Any]:
    """Whoever asks is told by a typed error in time, the process is alive, and all goes on by itself afterwards."""
    stage.restart("web", FAULTS_PATIENCE=str(PATIENCE))
    found = asked_meanwhile(stage, cluster)
    assert set(found.said) <= {"PERSONAL", "acknowledged", TYPED}, f"while the database stood still: {found.said}"
    assert not found.stuck, f"{found.stuck} requests waited longer than {LIMIT} s; the longest {found.longest:.1f} s"
    assert found.alive < LIMIT, f"the process said after {found.alive:.1f} s that it is alive"
    assert found.said.get(TYPED), "nothing was refused: the probe stopped nothing"
    stage.restart("web")
    without = asked_meanwhile(stage, cluster)
    assert without.stuck, f"the probe does not see requests that wait for as long as the database stands: {without}"
    return {"patient": vars(found), "without": vars(without)}


@dataclass
class Asked:
    """What clients were told while the database stood still; seconds."""

    said: dict[str, int]
    stuck: int
    longest: float
    alive: float
    """After which the process said that it is alive."""


def asked_meanwhile(stage: Stage, cluster: Cluster) -> Asked:
    crowd: list[Visitor] = [Reader(stage.port, stage.shop.key, shopper=f"h{n}") for n in range(CROWD)]
    for each in crowd:
        each.start()
    clients = [stage.reader, stage.buyer, *crowd]
    time.sleep(1)
    alive: list[float] = []

    def look() -> None:
        time.sleep(FROZEN / 3)
        asked = time.monotonic()
        answers_at(stage.port, "/health/live")
        alive.append(time.monotonic() - asked)

    with frozen(cluster.processes()) as began:
        looking = in_thread(look)
        time.sleep(FROZEN)
    back = time.monotonic()
    for client in clients:
        wait_for(lambda client=client: first_after(client, back), "a success", seconds=60)
    looking.join()
    for each in crowd:
        each.stop()
    told = [each for client in clients for each in client.since(began) if each.began < back]
    took = [each.took for each in told]
    return Asked(words(told), sum(each > LIMIT for each in took), round(max(took), 1), round(alive[0], 1))
