"""Two workers and two beats at once: one training at a time, and each slot of the schedule once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.live_shop import kill, wait_for

from .stage import KINDS, Stage, on_stage

ASKED = 10
RUNNING = "select public_id from reco_recommendations_trainingrun where state = 'running'"
SLOT = "Bring counts up to date"
OFTEN = 2
"""Seconds between two times that each beat publishes the slot; a run of it is made once a minute."""


@on_stage
def two_of_each(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """Ten trainings are asked for at once in each round of ten, while two beats publish the same slot."""
    chance = random.Random(seed)
    others = [stage.shop.worker(), stage.shop.beat()]
    schedule(stage, OFTEN)
    with watch(stage) as seen:
        keys = [key for _ in range(max(1, rounds // 10)) for key in asked(stage, chance)]
        wait_for(lambda: slots(stage), "a slot", seconds=90)
        for key in keys:
            state, why = stage.ended(key, seconds=120)
            assert state == "done", f"run {key} {state}: {why}"
        schedule(stage, 3600)
    found = slots(stage)
    assert max(found.values()) == 1, f"slots that were run more than once: {found}"
    assert seen["most"] == 1, f"{seen['most']} trainings at once"
    stage.said(stage.reader, "PERSONAL")
    told = {"asked": ASKED, "runs": len(set(keys)), "slots": len(found), "overlap": 0, "looks": seen["looks"]}
    for each in others:
        kill(each)
    refused_twice(stage)
    return {**told, "control": overlap_without_lease(stage, chance)}


def asked(stage: Stage, chance: random.Random) -> list[int]:
    """Keys of the runs that the ten get: a kind that waits or runs already is not queued again."""
    return sorted({stage.ask(chance.choice(KINDS)) for _ in range(ASKED)})


def schedule(stage: Stage, seconds: int) -> None:
    """Have beat publish the slot this often; each beat reads what changed."""
    stage.hand.do(f"every({SLOT!r}, {seconds})")


def slots(stage: Stage) -> dict[tuple[str, str], int]:
    """How many runs each kind has for each slot of the schedule that was published."""
    rows = stage.shop.rows(
        "select recommender_id, ticket, count(*) from reco_recommendations_trainingrun "
        "where ticket like 'beat:%' group by recommender_id, ticket"
    )
    return {(kind, ticket): n for kind, ticket, n in rows}


def refused_twice(stage: Stage) -> None:
    """The database itself takes no second run of a slot, whoever asks for it."""
    (kind, ticket), *_ = slots(stage)
    try:
        stage.hand.do(f"TrainingRun.objects.create(recommender_id={kind!r}, ticket={ticket!r}, state='done').pk")
    except AssertionError as refusal:
        told = str(refusal)
    else:
        told = "it was taken"
    assert "IntegrityError" in told, f"a second run of one slot: {told}"


@contextmanager
def watch(stage: Stage) -> Iterator[dict[str, int]]:
    """Count meanwhile how many processes train at once, at most: one whose run has ended is only going home."""
    seen, ended = {"most": 0, "looks": 0}, threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            processes = stage.shop.trained()
            running = {str(name).replace("-", "") for (name,) in stage.shop.rows(RUNNING)} if processes else set()
            seen["most"] = max(seen["most"], sum(run in running for run, _ in processes))
            seen["looks"] += 1

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def overlap_without_lease(stage: Stage, chance: random.Random) -> str:
    """The same with leases that are over at once: the watcher must see two trainings."""
    stage.restart("worker", FAULTS_LEASE="0.01")
    other = stage.shop.worker(FAULTS_LEASE="0.01")
    deadline = time.monotonic() + 90
    with watch(stage) as seen:
        while seen["most"] < 2:
            assert time.monotonic() < deadline, "the probe sees no overlap where leases guard nothing"
            asked(stage, chance)
            time.sleep(0.5)
    kill(other)
    stage.restart("worker")
    return "fires"
