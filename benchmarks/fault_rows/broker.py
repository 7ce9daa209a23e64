"""A Redis of our own that is stopped, started and emptied while events come in and lists are asked for."""

from __future__ import annotations

import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.faults.live_shop import free_port, kill, wait_for

from .clients import Told
from .stage import KINDS, NotRunError, Stage

CALM, AWAY = 5.0, 20.0
"""Seconds that lists are timed before, and that the broker is away."""
IN_HAND = 3.0
"""Seconds in which the worker is done with a sweep that it was sent before: that one would find what is asked for."""
SLOW = 2.0
"""Seconds that a request may take on a busy machine while the broker is away."""


class Redis:
    """A server on a free port that keeps nothing on disk."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            raise NotRunError("redis-server is not installed")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.answers, "Redis", seconds=20)

    def stop(self) -> None:
        kill(self.process, signal.SIGTERM)

    def answers(self) -> bool:
        import redis

        try:
            return bool(self._client().ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        self._client().flushall()

    def _client(self) -> Any:
        import redis

        return redis.Redis(port=self.port, socket_timeout=2)


def away(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Events and lists do not notice; what was asked for meanwhile is done after its return."""
    redis = Redis()
    try:
        with Stage(folder, server, broker=redis.url) as stage:
            time.sleep(CALM)
            calm = stage.reader.since(0.0)
            down = stopped(stage, redis, calm)
            flushed = emptied(stage, redis)
            return {**down, "flushed": flushed, "epilogue": stage.epilogue()}
    finally:
        redis.stop()


def stopped(stage: Stage, redis: Redis, calm: list[Told]) -> dict[str, Any]:
    began = time.monotonic()
    redis.stop()
    time.sleep(IN_HAND)
    keys = [stage.ask(kind) for kind in KINDS]
    time.sleep(AWAY)
    during = stage.reader.since(began)
    lists = stage.said(stage.reader, "PERSONAL", since=began)
    sent = stage.said(stage.buyer, "acknowledged", since=began)
    slowest = max(each.took for each in (*during, *stage.buyer.since(began)))
    assert slowest < SLOW, f"a request took {slowest:.1f} s while the broker was away"
    waiting = [stage.run_of(key)[0] for key in keys]
    assert "queued" in waiting, f"the broker was not missed: {waiting}"  # the control: the harm is there
    last = drawn(stage)
    redis.start()
    back = time.monotonic()
    for key in keys:
        state, why = stage.ended(key)
        assert state == "done", f"after the broker's return a run {state}: {why}"
    done = time.monotonic() - back
    wait_for(lambda: drawn(stage) != last, "portraits with the news", seconds=150)
    return {
        "away_s": AWAY, "lists": lists, "batches_acknowledged": sent["acknowledged"], "slowest_s": round(slowest, 2),
        "p99_ms": {"before": p99(calm), "away": p99(during)}, "backlog_done_s": round(done, 1), "control": "fires",
    }  # fmt: skip


def emptied(stage: Stage, redis: Redis) -> dict[str, Any]:
    """All that the broker holds is deleted, several times, while trainings are asked for."""
    keys = []
    for kind in KINDS:
        keys.append(stage.ask(kind))
        redis.flush()
        time.sleep(1)
    states = [stage.ended(key)[0] for key in keys]
    assert states == ["done"] * len(keys), f"after the flush runs are {states}"
    return {"runs": states, "lost": len(stage.lost())}


def drawn(stage: Stage) -> object:
    """When the last portrait was drawn."""
    ((found,),) = stage.shop.rows("select max(drawn_at) from reco_portraits_portrait")
    return found


def p99(told: list[Told]) -> float:
    return round(1000 * statistics.quantiles((each.took for each in told), n=100)[98], 1)
