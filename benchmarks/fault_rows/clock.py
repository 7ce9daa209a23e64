"""The clock of web, worker and beat set back by an hour and on by a day while they run, and set right again."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.faults.live_shop import kill

from .poison import good_after
from .stage import KINDS, NotRunError, Stage

SHIM = Path(__file__).with_name("clock.c")
STEPS = {"an hour back": -3600, "right again": 0, "a day on": 86_400, "and back to right": 0}
"""Seconds by which it is off."""
PLAIN = "django_celery_beat.schedulers:DatabaseScheduler"
STILL = 15.0
"""Seconds in which a sweep would have come three times."""
SCHEDULES = 4
"""Of a kind's trainings that a leap may bring due, each once: nightly, hourly, by the quarter, after an erasure."""


def stepped(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Each process asks a library of ours for the time, which adds what stands in a file at that moment."""
    offset, faked = settable(folder)
    with Stage(folder, server, **faked) as stage:
        found = {}
        for name, off in STEPS.items():
            found[name] = step(stage, offset, off)
        return {**found, "control": stands_still(stage, offset), "epilogue": stage.epilogue()}


def settable(folder: Path) -> tuple[Path, dict[str, str]]:
    """The file that says by how many seconds the clock is off, and the environment of whoever goes by it."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotRunError("a C compiler makes the clock that can be set; there is none")
    folder.mkdir(parents=True, exist_ok=True)
    library, offset = folder / "clock.so", folder / "offset"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(SHIM), "-ldl"], check=True)
    offset.write_text("0")
    return offset, {"LD_PRELOAD": str(library), "OFFSET_FILE": str(offset)}


def step(stage: Stage, offset: Path, off: int) -> dict[str, Any]:
    """A training goes on over the leap, another is asked for after it by a row alone; lists go on."""
    before, began = runs(stage), time.monotonic()
    over = stage.ask(KINDS[0])
    offset.write_text(str(off))
    shown = float(stage.hand.do("timezone.now().timestamp()")) - time.time()
    assert abs(shown - off) < 5, f"the clock is {shown} s off, not {off}"  # the control: the harm is there
    after = stage.ask(KINDS[1])
    for key in (over, after):
        state, why = stage.ended(key, seconds=180)
        assert state == "done", f"{off}: a run {state}: {why}"
    new = {kind: n - before.get(kind, 0) for kind, n in runs(stage).items()}
    assert max(new.values()) <= SCHEDULES + 1, f"{off}: a storm of runs: {new}"
    lists = stage.said(stage.reader, "PERSONAL", since=began)
    stage.said(stage.buyer, "acknowledged", since=began)
    return {"clock_off_s": round(shown), "runs": new, "lists": lists}


def stands_still(stage: Stage, offset: Path) -> str:
    """With the scheduler that orders its tasks by the wall clock nothing is due any more once that is set back."""
    kill(stage.parts["beat"])
    stage.parts["beat"] = stage.shop.beat(scheduler=PLAIN)
    assert stage.ended(stage.ask(KINDS[2]))[0] == "done"
    stage.settle(seconds=300)
    good_after(stage, "all that waited", seconds=300)
    offset.write_text("-3600")
    time.sleep(STILL)  # by then the sweep is over that was published just before
    key = stage.ask(KINDS[2])
    time.sleep(STILL)
    state = stage.run_of(key)[0]
    offset.write_text("0")
    stage.restart("beat")
    assert state == "queued", f"the probe does not see that beat stands still: the run {state}"
    return "fires"


def runs(stage: Stage) -> dict[str, int]:
    rows = stage.shop.rows(
        "select recommender_id, count(*) from reco_recommendations_trainingrun group by recommender_id"
    )
    return {str(kind): int(n) for kind, n in rows}
