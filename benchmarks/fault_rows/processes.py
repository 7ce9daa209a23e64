"""Processes killed at random moments while trainings, promotions and events go on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from typing import Any

from tests.faults.harm import STEPS
from tests.faults.live_shop import kill, wait_for

from ..machine import tell
from .clients import SILENT
from .stage import KINDS, Stage, on_stage, unsound

VICTIMS = ("web", "beat", "worker", "worker and child", "child")
TYPED = ("the worker died each time it tried", "its process was ended by SIGKILL: out of memory, or by hand")
"""How a run may fail that was struck two or three times."""


@on_stage
def killed(stage: Stage, *, rounds: int, seed: int, victims: tuple[str, ...] = VICTIMS) -> dict[str, Any]:
    """Each round kills each victim once, in any order: each at a random moment of what it does."""
    chance = random.Random(seed)
    struck = dict.fromkeys(victims, 0)
    in_training = 0
    for each in range(rounds):
        for victim in chance.sample(victims, len(victims)):
            keep_busy(stage, chance)
            in_training += strike(stage, victim, chance)
            struck[victim] += 1
            assert not (damaged := unsound(stage.artifacts, stage.live())), f"after {victim}: {damaged}"
        tell(f"  {each + 1} rounds of {', '.join(victims)}")
    stage.settle()
    runs = stage.shop.rows("select state, why from reco_recommendations_trainingrun where state = 'failed'")
    assert {why for _, why in runs} <= set(TYPED), f"runs failed otherwise than they may: {runs}"
    done = stage.shop.rows("select count(*) from reco_recommendations_trainingrun where state = 'done'")
    reads = stage.said(stage.reader, "PERSONAL")
    stage.said(stage.buyer, "acknowledged")
    return {
        "kills": struck, "while_training": in_training, "runs_done": done[0][0], "runs_failed_typed": len(runs),
        "lists": reads, "control": control(stage),
    }  # fmt: skip


def keep_busy(stage: Stage, chance: random.Random) -> None:
    """Have a training wait or run."""
    stage.ask(chance.choice(KINDS), work=chance.choice(("full", "update")), hint=True)


def strike(stage: Stage, victim: str, chance: random.Random) -> bool:
    """Kill it and start it again; whether a training was going on just then."""
    if victim in ("worker", "worker and child", "child"):
        wait_for(stage.shop.trainings, "a training to strike", seconds=30)
    time.sleep(chance.random() * 1.5)
    trained = bool(stage.shop.trainings())
    if victim == "child":
        for pid in stage.shop.trainings():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    elif victim == "worker":  # its child goes on by itself
        os.kill(stage.parts["worker"].pid, signal.SIGKILL)
        stage.parts["worker"].wait(10)
        stage.start("worker")
    else:
        stage.restart("worker" if victim == "worker and child" else victim)
    return trained


def control(stage: Stage) -> str:
    """The probe hears the silence of a web process that died without our knowing."""
    began = time.monotonic()
    kill(stage.parts["web"], signal.SIGKILL)
    wait_for(lambda: SILENT in stage.said(stage.reader, "PERSONAL", SILENT, since=began), "the silence of the dead")
    stage.start("web")
    stage.gaps.append((began, time.monotonic()))
    return "fires"


@on_stage
def killed_in_promotion(stage: Stage, *, rounds: int, seed: int, steps: tuple[str, ...] = STEPS) -> dict[str, Any]:
    """The child dies at each step between the first file and the commit: lists are of the old version or the new."""
    step_file = stage.shop.folder / "step"
    stage.restart("worker", FAULTS_STEP_FILE=str(step_file))
    taken_over = {}
    for each in range(rounds):
        for step in steps:
            before, since = stage.live(), time.monotonic()
            step_file.write_text(step)
            key = stage.ask(KINDS[each % len(KINDS)], hint=True)
            wait_for(lambda: not step_file.exists(), f"a death at {step}", seconds=60)
            assert not (damaged := unsound(stage.artifacts, stage.live())), f"after a death at {step}: {damaged}"
            if step != "tell":  # that one comes when all is done
                assert stage.live() == before, f"a version went live that died at {step}"
            state, why = stage.ended(key)
            assert state == "done", f"after a death at {step} the run {state}: {why}"
            assert stage.live() != before, f"after a death at {step} nothing went live"
            stage.said(stage.reader, "PERSONAL", since=since)
            taken_over[step] = taken_over.get(step, 0) + 1
        tell(f"  {each + 1} rounds of {len(steps)} steps")
    stage.said(stage.buyer, "acknowledged")
    stage.restart("worker")
    return {"died_at": taken_over, "control": lost_switch(stage)}


def lost_switch(stage: Stage) -> str:
    """What readers and the probe would see if the files of a live version were not whole: a part is torn out."""
    kind, (folder, sha256) = next(iter(stage.live().items()))
    victim = next((stage.artifacts / folder).glob("*.npy"))
    aside = victim.rename(stage.shop.folder / "aside")
    assert unsound(stage.artifacts, {kind: (folder, sha256)}), "the probe does not see a version that is half there"
    aside.rename(victim)
    return "fires"
