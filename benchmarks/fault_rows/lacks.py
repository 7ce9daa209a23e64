"""What a training needs and does not get: memory, and torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .stage import KINDS, Stage, on_stage

MEMORY_MB = 40
"""Less than the process of a training holds before it learns anything."""
NETWORKS = ("behaviour_mlp", "content_mlp")


@on_stage
def too_little_memory(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """A worker whose trainings may have a few MB: each run fails once, by its type; the web process goes on."""
    before, web = stage.live(), stage.parts["web"].pid
    stage.restart("worker", FAULTS_MEMORY_MB=str(MEMORY_MB))
    told = {}
    for kind in KINDS:
        key = stage.ask(kind)
        state, why = stage.ended(key)
        assert state == "failed", f"with {MEMORY_MB} MB a run of {kind} {state}: {why}"
        assert "memory" in why, f"a run without memory says: {why}"
        ((attempts,),) = stage.shop.rows(f"select attempts from reco_recommendations_trainingrun where id = {key}")
        assert attempts <= 2, f"it was tried {attempts} times"
        told[kind] = f"{why} (tries: {attempts})"
    assert stage.live() == before, "what serves was switched"
    assert stage.parts["web"].pid == web, "the web process ended"
    assert stage.parts["web"].poll() is None, "the web process ended"
    assert stage.parts["worker"].poll() is None, "the worker ended"
    stage.restart("worker")
    state, why = stage.ended(stage.ask(KINDS[0]))
    assert state == "done", f"with memory enough the same run {state}: {why}"
    stage.said(stage.buyer, "acknowledged")
    return {"failed_as": told, "lists": stage.said(stage.reader, "PERSONAL"), "control": "fires"}


def no_torch(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """A stub that raises stands before torch: core kinds train and serve, networks say what they lack."""
    stubs = folder / "stubs"
    stubs.mkdir(parents=True)
    touched = folder / "imported"
    (stubs / "torch.py").write_text(
        "import os, sys\n"
        f"open({str(touched)!r}, 'a').write(' '.join(sys.argv) + '\\n')\n"
        "raise ImportError('a stub stands here')\n"
    )
    with Stage(folder, server, PYTHONPATH=str(stubs)) as stage:
        told = {}
        for kind in NETWORKS:
            state, why = stage.ended(stage.ask(kind))
            assert (state, "not installed" in why) == ("failed", True), f"without torch {kind} {state}: {why}"
            told[kind] = why
        state, why = stage.ended(stage.ask(KINDS[1]))
        assert state == "done", f"without torch a core kind {state}: {why}"
        web_for_long(stage)
        found = {"failed_as": told, "lists": stage.said(stage.reader, "PERSONAL"), "epilogue": stage.epilogue()}
        importers = touched.read_text().splitlines()
        assert importers, "the probe does not see who imports torch"
        assert all("fit_run" in each for each in importers), f"torch was imported by {importers}"
        return {**found, "imported_by": len(importers), "control": "fires"}


def web_for_long(stage: Stage) -> None:
    """Every kind of page that a process could load torch for: the list, health, the admin's page of versions."""
    stage.restart("web")
    assert stage.health()["status"] == "ok"
    assert stage.reader.ask() == "PERSONAL"
