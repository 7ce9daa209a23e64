"""A stranger who holds the SQLite file: short holds are waited for, long ones told of, and lists go on in both."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from .clients import words
from .stage import NotRunError, Stage

SHORT, LONG, PATIENCE = 3.0, 30.0, 6.0
"""Seconds of the two holds, and until a writer must have been told."""
TYPED = "503 UNAVAILABLE"
SLOW = 2.0
"""Seconds that a list may take meanwhile on a busy machine."""


def held(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """BEGIN IMMEDIATE held for 3 and for 30 seconds while events come in and lists are asked for."""
    if server:
        raise NotRunError("only SQLite has one lock for all writers")
    with Stage(folder) as stage:
        found = {"short": short(stage), "long": long(stage)}
        return {**found, "control": "fires", "epilogue": stage.epilogue()}


def short(stage: Stage) -> dict[str, Any]:
    with holding(stage.shop.folder) as began:
        time.sleep(SHORT)
    time.sleep(1)
    told = stage.buyer.since(began - 1)  # one that was on its way already waits as well
    assert set(words(told)) == {"acknowledged"}, f"a hold of {SHORT} s: {words(told)}"
    longest = max(each.took for each in told)
    assert longest > SHORT / 2, "no writer waited: the probe held nothing"  # the control: the harm is there
    return {"longest_wait_s": round(longest, 2), **lists(stage, began)}


def long(stage: Stage) -> dict[str, Any]:
    with holding(stage.shop.folder) as began:
        time.sleep(LONG)
        told = [each for each in stage.buyer.since(began) if each.began + each.took < began + LONG]
        stored = stage.lost()
    assert set(words(told)) == {TYPED}, f"a hold of {LONG} s: {words(told)}"
    longest = max(each.took for each in told)
    assert longest < PATIENCE, f"a writer was told after {longest:.1f} s"
    assert not stored, "something was acknowledged and is not stored"
    return {"told_after_s": round(longest, 2), "refused": len(told), **lists(stage, began)}


def lists(stage: Stage, since: float) -> dict[str, Any]:
    """Lists that were asked for meanwhile."""
    said = stage.said(stage.reader, "PERSONAL", since=since)
    slowest = max(stage.reader.since(since), key=lambda each: each.took)
    assert slowest.took < SLOW, f"a list took {slowest.took:.1f} s, {slowest.began - since:.1f} s after it began"
    return {"lists": said, "slowest_list_s": round(slowest.took, 2)}


@contextmanager
def holding(folder: Path) -> Iterator[float]:
    """Nobody else writes to the shop in this folder meanwhile; told is since when."""
    with closing(sqlite3.connect(folder / "db.sqlite3", isolation_level=None, timeout=30)) as stranger:
        stranger.execute("begin immediate")
        try:
            yield time.monotonic()
        finally:
            stranger.execute("rollback")
