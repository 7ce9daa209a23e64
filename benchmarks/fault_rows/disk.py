"""A disk that is full when a training writes its artifact."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from .stage import KINDS, NotRunError, Stage

SIZE, LEFT = 16, 8_192
"""MB of the disk, and the bytes of it that a training finds."""


def full_disk(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """The artifacts lie on a small tmpfs that is filled up; then there is room again, and nothing is restarted."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", str(artifacts)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        raise NotRunError("only root, where it may mount, can make a small disk")
    try:
        with Stage(folder, server) as stage:
            found = filled_up(stage, artifacts / ".ballast")
            return {**found, "epilogue": stage.epilogue()}
    finally:
        subprocess.run(["umount", "--lazy", str(artifacts)], check=True)


def filled_up(stage: Stage, ballast: Path) -> dict[str, Any]:
    before = stage.live()
    fill(ballast)
    control = is_full(ballast.with_name(".more"))
    told = {}
    for kind in KINDS:
        state, why = stage.ended(stage.ask(kind))
        assert (state, "No space left" in why) == ("failed", True), f"on a full disk a run of {kind} {state}: {why}"
        told[kind] = why
    assert stage.live() == before, "what serves was switched"
    assert (left := stage.leftovers()) == [ballast.name], f"left on the full disk: {left}"
    assert stage.health()["status"] == "ok"
    ballast.unlink()
    stage.said(stage.buyer, "acknowledged")
    return {"failed_as": told, "lists": stage.said(stage.reader, "PERSONAL"), "control": control}


def fill(ballast: Path) -> None:
    """Leave a few bytes on the disk."""
    disk = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        for _ in range((disk.f_bavail * disk.f_frsize - LEFT) // disk.f_frsize):
            file.write(bytes(disk.f_frsize))


def is_full(more: Path) -> str:
    """The harm is really there: what is a little larger than what is left cannot be written."""
    try:
        more.write_bytes(bytes(8 * LEFT))
    except OSError:
        more.unlink(missing_ok=True)
        return "fires"
    raise AssertionError("the disk is not full")
