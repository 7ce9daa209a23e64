"""The clock of web, worker and beat set back by an hour and on by a day while they run, and set right again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .stage import KINDS, NotRunError, Stage

LIBRARIES = "/usr/lib/*/faketime/libfaketime.so.1"
STEPS = {"an hour back": "-1h", "right again": "+0", "a day on": "+1d", "and back to right": "+0"}
SCHEDULES = 4
"""Of a kind's trainings that a leap may bring due, each once: nightly, hourly, by the quarter, after an erasure."""


def stepped(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Each process reads its clock through libfaketime, which reads how far to be off from a file."""
    libraries = sorted(Path("/").glob(LIBRARIES[1:]))
    if not libraries:
        raise NotRunError("libfaketime is not installed; apt-get install faketime")
    folder.mkdir(parents=True, exist_ok=True)
    offset = folder / "offset"
    offset.write_text("+0")
    faked = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with Stage(folder, server, **faked) as stage:
        found = {}
        for name, off in STEPS.items():
            found[name] = step(stage, offset, off)
        return {**found, "control": "fires", "epilogue": stage.epilogue()}


def step(stage: Stage, offset: Path, off: str) -> dict[str, Any]:
    """A training goes on over the leap, another is asked for after it by a row alone; lists go on."""
    before, began = runs(stage), time.monotonic()
    over = stage.ask(KINDS[0])
    offset.write_text(off)
    time.sleep(2)
    shown = stage.hand.do("str(timezone.now())")
    after = stage.ask(KINDS[1])
    for key in (over, after):
        state, why = stage.ended(key, seconds=180)
        assert state == "done", f"{off}: a run {state}: {why}"
    new = {kind: n - before.get(kind, 0) for kind, n in runs(stage).items()}
    assert max(new.values()) <= SCHEDULES + 1, f"{off}: a storm of runs: {new}"
    lists = stage.said(stage.reader, "PERSONAL", since=began)
    stage.said(stage.buyer, "acknowledged", since=began)
    return {"clock": shown, "runs": new, "lists": lists}


def runs(stage: Stage) -> dict[str, int]:
    rows = stage.shop.rows(
        "select recommender_id, count(*) from reco_recommendations_trainingrun group by recommender_id"
    )
    return {str(kind): int(n) for kind, n in rows}
