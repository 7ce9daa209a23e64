"""A Redis and a PostgreSQL that answer nothing and refuse nothing: stopped by a signal, as a stuck disk would."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.live_shop import answers_at, wait_for

from .broker import SLOW, Redis
from .clients import Reader, Visitor
from .database import TYPED, Cluster, first_after
from .stage import KINDS, Stage, in_thread

FROZEN = 12.0
"""Seconds for which each stands still: longer than anybody may wait."""
LIMIT = 10.0
"""Seconds after which whoever asked must have been told; four a little busy threads answer all others meanwhile."""
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
    lists, sends = (
        stage.said(stage.reader, "PERSONAL", since=began),
        stage.said(stage.buyer, "acknowledged", since=began),
    )
    slowest = max(each.took for client in (stage.reader, stage.buyer) for each in client.since(began))
    assert slowest < SLOW, f"a request took {slowest:.1f} s while the broker stood still"
    state, why = stage.ended(key)
    assert state == "done", f"after the broker's return a run {state}: {why}"
    return {"lists": lists, "sends": sends, "slowest_s": round(slowest, 2)}


def database_frozen(stage: Stage, cluster: Cluster) -> dict[str, Any]:
    """Whoever asks is told by a typed error in time, the process is alive, and all goes on by itself afterwards."""
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
    told = [each for client in clients for each in client.since(began - LIMIT) if each.began < back]
    longest = max(each.took for each in told)
    stuck = sum(each.took > LIMIT for each in told)
    assert stuck == 0, f"{stuck} of {len(told)} requests waited longer than {LIMIT} s; the longest {longest:.1f} s"
    assert alive[0] < LIMIT, f"the process said after {alive[0]:.1f} s that it is alive"
    refused = sum(
        stage.said(client, "PERSONAL", "acknowledged", TYPED, since=began).get(TYPED, 0) for client in clients
    )
    assert refused, "nothing was refused: the probe stopped nothing"  # the control: the harm is there
    return {"refused_typed": refused, "longest_s": round(longest, 2), "alive_after_s": round(alive[0], 2)}
