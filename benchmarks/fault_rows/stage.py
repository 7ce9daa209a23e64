"""The shop on which faults are played, with two clients who never stop, and what must hold after each of them."""

from __future__ import annotations

import functools
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from reco_engine.artifacts import load
from reco_engine.errors import ArtifactError
from tests.faults.live_shop import LiveShop, answers_at, free_port, kill, wait_for

from .clients import SILENT, Buyer, Reader, Told, Visitor, words

KINDS = ("popularity", "user_cf", "content")
"""What is trained: quick, and with nothing to search."""
LEASE = 3.0
PARTS = ("web", "worker", "beat")
Strike = Callable[..., dict[str, Any]]


class NotRunError(Exception):
    """What a row needs is not there; the text says what."""


class Stage:
    """A web process, a worker and beat on a small trained shop; a context that ends them.

    Attributes:
        buyer: Sends events until they are acknowledged, and remembers which were.
        reader: Asks for a list of one shopper, again and again.
        gaps: When there was no web process, as moments of ``time.monotonic``.
    """

    def __init__(self, folder: Path, server: str = "", *, broker: str = "", trained: bool = True, **more: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.shop = LiveShop(folder, broker, server, **more)
        self.artifacts = folder / "artifacts"
        self.port, self.parts = free_port(), dict[str, Any]()
        self.gaps: list[tuple[float, float]] = []
        self.hand = self.shop.hand()
        if trained:
            self._train()
        self.buyer, self.reader = Buyer(self.port, self.shop.key), Reader(self.port, self.shop.key)

    def _train(self) -> None:
        try:
            for kind in KINDS:
                self.ask(kind)
            assert self.hand.do("work_off()") == len(KINDS)
        except BaseException:
            self.shop.end()
            raise

    def __enter__(self) -> Self:
        try:
            for part in reversed(PARTS):
                self.start(part)
        except BaseException:
            self.shop.end()
            raise
        self.buyer.start()
        self.reader.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.buyer.stop()
        self.reader.stop()
        self.shop.end()

    def start(self, part: str, **more: str) -> None:
        """Start a process in place of the one before; a web process answers by then."""
        if part == "web":
            self.parts["web"] = self.shop.serve(self.port, **more)
        else:
            self.parts[part] = self.shop.worker(**more) if part == "worker" else self.shop.beat(**more)

    def restart(self, part: str, **more: str) -> None:
        began = time.monotonic()
        kill(self.parts[part], signal.SIGKILL)
        self.start(part, **more)
        if part == "web":
            self.gaps.append((began, time.monotonic()))

    def said(self, client: Visitor, *allowed: str, since: float = 0.0) -> dict[str, int]:
        """What a client was told and how often, but for silence while there was no web process.

        Raises:
            AssertionError: If something was said that is not allowed.
        """
        found = words([each for each in client.since(since) if each.word != SILENT or not self._in_gap(each)])
        assert found.keys() <= set(allowed), f"answers: {found}; allowed: {', '.join(allowed)}"
        return found

    def _in_gap(self, each: Told) -> bool:
        return any(began <= each.began + each.took and each.began <= ended for began, ended in self.gaps)

    def live(self) -> dict[str, tuple[str, str]]:
        """The folder and the recorded hash of each kind's live version."""
        sql = "select recommender_id, public_id, manifest_sha256 from reco_recommendations_modelversion "
        rows = self.shop.rows(f"{sql} where state = 'live'")
        found = {kind: (_plain(name), sha256) for kind, name, sha256 in rows}
        assert len(found) == len(rows), f"two live versions of one kind: {rows}"
        return found

    def ask(self, kind: str, *, work: str = "full", hint: bool = False) -> int:
        """Ask for a training, as a shop does whose hint was lost by a row alone; returns its key."""
        key = int(self.hand.do(f"services.request_training(kind={kind!r}, work={work!r}).pk"))
        if hint:
            self.hand.do("send('shop_reco.recommendations.tasks.sweep_runs').id")
        return key

    def run_of(self, key: int) -> tuple[str, str]:
        """State of a run, and why."""
        ((state, why),) = self.shop.rows(f"select state, why from reco_recommendations_trainingrun where id = {key}")
        return state, why

    def ended(self, key: int, *, seconds: float = 120) -> tuple[str, str]:
        """The same, once the run has ended."""
        wait_for(lambda: self.run_of(key)[0] not in ("queued", "running"), f"the end of run {key}", seconds=seconds)
        return self.run_of(key)

    def settle(self, *, seconds: float = 120) -> None:
        """Wait until nothing is asked for any more."""
        unended = "select count(*) from reco_recommendations_trainingrun where state in ('queued', 'running')"
        wait_for(lambda: self.shop.rows(unended)[0][0] == 0, "the end of all runs", seconds=seconds)

    def health(self) -> dict[str, Any]:
        return answers_at(self.port, "/health/")

    def leftovers(self) -> list[str]:
        """What lies among the artifacts that no version tells of."""
        rows = self.shop.rows("select public_id from reco_recommendations_modelversion where pruned_at is null")
        known = {_plain(name) for (name,) in rows}
        return sorted(each.name for each in self.artifacts.iterdir() if each.name not in known | {"privacy"})

    def lost(self) -> set[str]:
        """Events that were acknowledged and are not stored."""
        acknowledged = set(self.buyer.acknowledged)
        return acknowledged - {_plain(name) for (name,) in self.shop.rows("select id from reco_events_event")}

    def epilogue(self, *, rung: str = "PERSONAL", patience: float = 120) -> dict[str, Any]:
        """What must hold after any fault, and that each of the probes would tell if it did not.

        Lists are served, the live versions are whole, nothing acknowledged is lost, and the next training goes live
        with nobody there but the worker and beat, ``patience`` seconds later at most.
        """
        assert (served := self.reader.ask()) == rung, f"a list after it: {served}"
        before = self.live()
        assert not (damaged := unsound(self.artifacts, before)), f"live versions are damaged: {damaged}"
        time.sleep(LEASE)  # by then what a death left is old enough to be deleted
        began = time.monotonic()
        state, why = self.ended(self.ask(KINDS[0]), seconds=patience)
        took = time.monotonic() - began
        assert state == "done", f"the next training {state}: {why}"
        assert self.live()[KINDS[0]] != before[KINDS[0]], "the next training did not go live"
        wait_for(lambda: self.health()["status"] == "ok", "health", seconds=10)
        assert (served := self.reader.ask()) == rung, f"a list after the next training: {served}"
        assert not (left := self.leftovers()), f"left among the artifacts: {left}"
        assert not (lost := self.lost()), f"{len(lost)} acknowledged events are not stored"
        acknowledged = len(self.buyer.acknowledged)
        self._controls()
        return {"acknowledged": acknowledged, "lost": 0, "next_training_s": round(took, 1)}

    def _controls(self) -> None:
        """The probes of the epilogue on a shop that is wrong on purpose, which is put right again."""
        name = self.buyer.acknowledged[0]
        assert self.hand.do(f"Event.objects.filter(pk={name!r}).delete()[0]") == 1
        assert self.lost() == {name}, "the probe does not see an event that was deleted"
        del self.buyer.acknowledged[0]
        stray = self.artifacts / f".{'0' * 32}.stray"
        stray.mkdir()
        assert self.leftovers() == [stray.name], "the probe does not see a leftover"
        stray.rmdir()
        ((folder, sha256), *_) = self.live().values()
        assert unsound(self.artifacts, {"other": (folder, sha256[::-1])}), "the probe does not see another artifact"


def unsound(artifacts: Path, live: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Why versions may not be used, by kind."""
    found = {}
    for kind, (name, sha256) in live.items():
        try:
            load(artifacts / name, sha256=sha256)
        except ArtifactError as error:
            found[kind] = str(error)
    return found


def on_stage(strike: Strike) -> Strike:
    """A row that plays on a stage of its own; the common epilogue follows."""

    @functools.wraps(strike)
    def row(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
        with Stage(folder, server) as stage:
            found = strike(stage, rounds=rounds, seed=seed)
            return {**found, "epilogue": stage.epilogue()}

    return row


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _plain(name: object) -> str:
    return str(name).replace("-", "")
