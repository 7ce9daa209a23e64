"""One client who floods the shop while others shop, and a day's events that come all at once."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.live_shop import ROOT, LiveShop, free_port, kill, wait_for

from ..ingest_clients import DOCUMENT, event
from .clients import SHOPPERS, Buyer, Reader, Told, words
from .stage import Stage, on_stage

POINTS, REFILL = 5, 0.5
"""Of a visitor; an address has twenty times that."""
SERVER = 10_000
"""How many times that a server with a key has: the others stay far below it, so that only the flood is refused."""
FLOOD = 20
"""How many times what an address may spend in a second the flood sends."""
WINDOW, RATIO = 4.0, 1.5
"""Seconds of each window without and with the flood, and by how much the others' p99 may grow.

Many short windows by turns: the machine itself is now faster and now slower, and both sides have to share that.
"""
TURNS = 8
WEB = 2
"""Web processes, as in production."""
LIMITED = "429 RATE_LIMITED"
HOURS, STORM = 10, 6000
"""Hours of events that an outage held back, and how many they are."""
BATCH = 500
Events = list[dict[str, Any]]


def flooded(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Windows without and with the flood by turns: others hardly notice, and the flood leaves nothing behind."""
    folder.mkdir(parents=True, exist_ok=True)
    limits = {"FAULTS_RATE_POINTS": str(POINTS), "FAULTS_RATE_REFILL": str(REFILL), "FAULTS_RATE_SERVER": str(SERVER)}
    shop = LiveShop(folder, server=server, **limits)
    try:
        port = free_port()
        web = shop.serve(port, workers=WEB)
        others = Others(port, shop.key)
        try:
            found = others.by_turns(port, max(TURNS, rounds // 5))
            assert found["flood"].get(LIMITED, 0) > 0.8 * sum(found["flood"].values()), found
            assert set(found["flood"]) <= {LIMITED, "answered"}, f"the flood was told {found['flood']}"
            ((dead,),) = shop.rows("select count(*) from reco_events_rejectedevent")
            assert dead == 0, f"the flood left {dead} rejected events behind"
            kill(web)
            web = shop.serve(port, workers=WEB, FAULTS_RATE_POINTS="0")
            let_in = others.by_turns(port, 2)
            assert set(let_in["flood"]) == {"answered"}, let_in
            assert let_in["ratio"] > found["ratio"], f"a flood that is let in is not felt: {let_in}, {found}"
        finally:
            others.stop()
        assert found["ratio"] <= RATIO, f"others' p99 grew {found['ratio']} times: {found}"
        return {**found, "rejected_events": dead, "let_in": let_in, "control": "fires"}
    finally:
        shop.end()


class Others:
    """A reader and a buyer with the shop's key, whose answers are timed."""

    def __init__(self, port: int, key: str) -> None:
        self.clients = [Reader(port, key, pause=0.02), Buyer(port, key, pause=0.05)]
        for client in self.clients:
            client.start()

    def stop(self) -> None:
        for client in self.clients:
            client.stop()

    def by_turns(self, port: int, times: int) -> dict[str, Any]:
        """Milliseconds of the others' p99 without and with the flood, and what both sides were told."""
        calm: list[Told] = []
        rough: list[Told] = []
        flood: dict[str, int] = {}
        time.sleep(2)
        for _ in range(times):
            calm += self._window()
            with flooding(port) as told:
                time.sleep(1)
                rough += self._window()
            for word, n in told.items():
                flood[word] = flood.get(word, 0) + n
            time.sleep(1)
        said = words([*calm, *rough])
        assert set(said) <= {"PERSONAL", "POPULAR", "NEWEST", "acknowledged"}, f"others were told {said}"
        before, after = p99(calm), p99(rough)
        return {"p99_ms": {"calm": before, "flood": after}, "ratio": round(after / before, 2), "flood": flood}

    def _window(self) -> list[Told]:
        since = time.monotonic()
        time.sleep(WINDOW)
        return [each for client in self.clients for each in client.since(since)]


def p99(told: list[Told]) -> float:
    return round(1000 * statistics.quantiles((each.took for each in told), n=100)[98], 1)


@contextmanager
def flooding(port: int) -> Iterator[dict[str, int]]:
    """A process of its own asks for lists and sends bad events, without a key; its words are there at the end."""
    pace = FLOOD * 20 * REFILL
    command = [sys.executable, "-m", "benchmarks.fault_rows.flood", str(port), str(pace)]
    flood = subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    told: dict[str, int] = {}
    try:
        yield told
    finally:
        out, _ = flood.communicate(b"\n", timeout=60)
        told.update(json.loads(out))


@on_stage
def stormed(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """Ten hours of events in as few calls as may be; what happened last is newest, and no training more."""
    chance = random.Random(seed)
    storm = [held_back(chance) for _ in range(STORM)]
    chance.shuffle(storm)
    wrong, _ = stage.reader.post(DOCUMENT, {"events": storm[: BATCH + 1]})
    assert wrong.endswith("BATCH_TOO_LARGE"), f"a batch of {BATCH + 1}: {wrong or 'taken'}"
    runs, began = asked_for(stage), time.monotonic()
    for start in range(0, STORM, BATCH):
        batch = storm[start : start + BATCH]
        wrong, data = stage.reader.post(DOCUMENT, {"events": batch})
        assert not wrong, f"a batch of {BATCH}: {wrong}"
        assert data["trackEvents"]["accepted"] == len(batch), data
        stage.buyer.acknowledged += [each["id"].replace("-", "") for each in batch]
    took = time.monotonic() - began
    wait_for(lambda: not dirty(stage), "portraits of all", seconds=300)
    happened, arrived = last_by(stage, "occurred_at"), last_by(stage, "received_at")
    assert happened != arrived, "what happened last came last: the probe tells nothing"
    assert last_of(stage, "h1") == happened, "what counts as newest is not what happened last"
    more = asked_for(stage) - runs
    minutes = (time.monotonic() - began) / 60 + 1
    assert not (extra := [run for run in more if not run[1].startswith("beat:")]), f"the storm started {extra}"
    each = max((sum(kind == run[0] for run in more) for kind, _ in more), default=0)
    assert each <= minutes, f"{each} trainings of one kind in {minutes:.1f} minutes"
    stage.said(stage.reader, "PERSONAL")
    stage.said(stage.buyer, "acknowledged")
    return {"events": STORM, "calls": STORM // BATCH, "seconds": round(took, 1), "runs_meanwhile": len(more),
            "control": misdated(stage, chance)}  # fmt: skip


def held_back(chance: random.Random) -> dict[str, Any]:
    happened = dt.datetime.now(dt.UTC) - dt.timedelta(hours=chance.random() * HOURS)
    return {**event(chance, SHOPPERS), "occurredAt": happened.isoformat()}


def asked_for(stage: Stage) -> set[tuple[str, str]]:
    """Kind and ticket of each training so far."""
    rows = stage.shop.rows("select recommender_id, ticket, id from reco_recommendations_trainingrun")
    return {(kind, ticket or f"by hand {key}") for kind, ticket, key in rows}


def dirty(stage: Stage) -> int:
    ((found,),) = stage.shop.rows(
        "select count(*) from reco_events_dirtyshopper d join reco_users_shopper s on s.id = d.shopper_id "
        "where s.external_id = 'h1'"
    )
    return int(found)


def last_by(stage: Stage, moment: str) -> str:
    ((found,),) = stage.shop.rows(
        "select e.id from reco_events_event e join reco_users_shopper s on s.id = e.shopper_id "
        f"where s.external_id = 'h1' order by e.{moment} desc, e.occurred_at, e.id desc limit 1"
    )
    return str(uuid.UUID(str(found)))


def last_of(stage: Stage, shopper: str) -> str:
    """The newest event of a shopper as the recommenders read them."""
    return str(stage.hand.do(f"newest({shopper!r})"))


def misdated(stage: Stage, chance: random.Random) -> str:
    """An event of ten hours ago that does not say so is the newest; a training by hand is one: the probes see both."""
    runs = asked_for(stage)
    late = {key: value for key, value in held_back(chance).items() if key != "occurredAt"} | {"shopper": "h1"}
    wrong, data = stage.reader.post(DOCUMENT, {"events": [late]})
    assert (wrong, data["trackEvents"]["accepted"]) == ("", 1), wrong or data
    stage.buyer.acknowledged.append(late["id"].replace("-", ""))
    assert last_of(stage, "h1") == late["id"], "the probe does not see what was dated by its arrival"
    stage.ended(stage.ask("popularity"))
    assert [run for run in asked_for(stage) - runs if not run[1].startswith("beat:")], "the probe sees no training"
    return "fires"
