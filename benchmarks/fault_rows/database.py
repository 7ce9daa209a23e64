"""A PostgreSQL of our own that is restarted under load, politely and not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.faults.live_shop import free_port, wait_for

from .clients import Told, Visitor
from .stage import KINDS, PARTS, NotRunError, Stage

MODES = ("fast", "immediate")
TYPED = "503 UNAVAILABLE"
PATIENCE = 2.0
"""Seconds after it accepts again until a client's request has succeeded."""


class Cluster:
    """Made with initdb in a folder of its own; root has an unprivileged user run it."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        tool = shutil.which("initdb") or (str(found[-1]) if found else "")
        if found:
            tool = str(found[-1])
        if not tool:
            raise NotRunError("initdb is not installed")
        self.tools, self.port = Path(tool).parent, free_port()
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="faults-postgresql-"))
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        try:
            if self.user:
                shutil.chown(self.folder, "postgres")
            self._do("initdb", "-A", "trust", "-U", "postgres", "-D", str(self.data))
            self._control("start")
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def restart(self, mode: str) -> None:
        self._control("restart", "-m", mode)

    def processes(self) -> list[int]:
        """The server's first process and its children, those that clients talk to among them."""
        first = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def end(self) -> None:
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder)

    def _control(self, *arguments: str) -> None:
        served = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        log = str(self.folder / "log")
        self._do("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-o", served, "-l", log, *arguments)

    def _do(self, tool: str, *arguments: str) -> None:
        # its output to a file: a server that is started keeps the pipe of its starter open
        with (self.folder / "told").open("wb") as told:
            command = [*self.user, str(self.tools / tool), *arguments]
            done = subprocess.run(command, stdout=told, stderr=told, cwd="/")
        assert done.returncode == 0, f"{tool}: {(self.folder / 'told').read_text()[-500:]}"


def restarted(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Fast and immediate in turn: what fails is told of by its type, and nothing acknowledged is lost."""
    if not server:
        raise NotRunError("SQLite has no server")
    cluster = Cluster()
    try:
        with Stage(folder, cluster.url) as stage:
            found: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
            keys = []
            for each in range(max(2, rounds // 5)):
                mode = MODES[each % len(MODES)]
                keys.append(stage.ask(KINDS[each % len(KINDS)]))
                found[mode].append(one(stage, cluster, mode))
                assert not (lost := stage.lost()), f"{mode}: {len(lost)} acknowledged events are not stored"
            told = {mode: worst(some) for mode, some in found.items()}
            alive = [part for part in PARTS if stage.parts[part].poll() is None]
            assert alive == list(PARTS), f"of the processes only {alive} outlived it"
            states = [stage.ended(key)[0] for key in keys]
            return {**told, "trainings": states, "control": "fires", "epilogue": stage.epilogue()}
    finally:
        cluster.end()


def one(stage: Stage, cluster: Cluster, mode: str) -> dict[str, Any]:
    time.sleep(1)
    began = time.monotonic()
    cluster.restart(mode)
    accepted = time.monotonic()
    for client in (stage.reader, stage.buyer):
        wait_for(lambda client=client: first_after(client, accepted), f"a success of {client}", seconds=30)
    reads = stage.said(stage.reader, "PERSONAL", TYPED, since=began)
    sends = stage.said(stage.buyer, "acknowledged", TYPED, since=began)
    first = max(first_after(client, accepted) for client in (stage.reader, stage.buyer))
    return {"down_s": accepted - began, "first_success_s": first, "refused": reads.get(TYPED, 0) + sends.get(TYPED, 0)}


def first_after(client: Visitor, moment: float) -> float:
    """Seconds from the moment to the end of the first request that succeeded; 0 where none has yet."""
    good = [each for each in client.since(moment - 20) if succeeded(each) and each.began + each.took >= moment]
    return good[0].began + good[0].took - moment if good else 0.0


def succeeded(each: Told) -> bool:
    return each.word in ("PERSONAL", "acknowledged")


def worst(some: list[dict[str, Any]]) -> dict[str, Any]:
    found = {name: round(max(each[name] for each in some), 2) for name in ("down_s", "first_success_s")}
    refused = sum(each["refused"] for each in some)
    assert refused, "nothing was refused: the probe saw no restart"  # the control: the harm is there
    assert found["first_success_s"] <= PATIENCE, f"the first success came {found['first_success_s']} s after"
    return {**found, "restarts": len(some), "refused_typed": refused, "lost": 0}
