"""Artifacts cut, flipped, swapped, removed and edited: refused before they are mapped, and something else serves."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reco_engine.artifacts import Manifest, load
from reco_engine.errors import ArtifactError

from .stage import KINDS, Stage, on_stage

FLIPS = 20
"""Random flips of one bit for each round; the matrix asks for 100 in all."""


@on_stage
def damaged(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """Flip bits of copies; then do each damage to what serves, where the web process finds it as it starts."""
    chance = random.Random(seed)
    for kind in KINDS:  # a version to go back to
        assert stage.ended(stage.ask(kind))[0] == "done"
    told = {}
    for name, damage in DAMAGES.items():
        kind = chance.choice(KINDS)
        folder, sha256 = stage.live()[kind]
        aside = shutil.copytree(stage.artifacts / folder, stage.shop.folder / "aside")
        damage(stage.artifacts / folder, chance)
        told[name] = refused(stage.artifacts / folder, sha256)
        assert told[name], f"{name}: not refused"
        if damage is edit:
            assert not refused(stage.artifacts / folder, None), (
                "with the guard off the edited folder is refused as well"
            )
        serves_on(stage, name)
        shutil.rmtree(stage.artifacts / folder)
        aside.rename(stage.artifacts / folder)
    flips = caught_flips(stage, rounds * FLIPS, chance)
    ladder = without_any(stage)
    repaired = repaired_by_training(stage, chance)
    return {"damages": told, "flips_caught": flips, "without_any": ladder, "repaired": repaired, "control": "fires"}


def serves_on(stage: Stage, name: str) -> None:
    """An earlier version stands in: lists are personal and say so, and health tells of it."""
    stage.restart("web")
    since = time.monotonic()
    told = stage.health()
    assert (told["status"], told["checks"]["models"]) == ("degraded", "degraded"), f"{name}: health says {told}"
    assert (rung := stage.reader.ask()) == "LAST_GOOD", f"{name}: a list is {rung}"
    stage.said(stage.reader, "LAST_GOOD", since=since)


def caught_flips(stage: Stage, n: int, chance: random.Random) -> int:
    """Flip a random bit of a random file, each time in a good copy, which is taken as it is before and after."""
    copy, live = stage.shop.folder / "copy", list(stage.live().values())
    for folder, _ in live:
        shutil.copytree(stage.artifacts / folder, copy / folder)
    for each in range(n):
        folder, sha256 = chance.choice(live)
        path = chance.choice(sorted((copy / folder).iterdir()))
        whole = path.read_bytes()
        assert not refused(copy / folder, sha256), "the probe refuses what is whole"
        flip(path, chance)
        assert refused(copy / folder, sha256), f"flip {each} in {path.name} was not caught"
        path.write_bytes(whole)
    shutil.rmtree(copy)
    return n


def without_any(stage: Stage) -> dict[str, Any]:
    """Every version of every kind is gone: the lowest rung answers."""
    aside = stage.artifacts.rename(stage.artifacts.with_name("artifacts-aside"))
    stage.artifacts.mkdir()
    stage.restart("web")
    rung, told = stage.reader.ask(), stage.health()["status"]
    shutil.rmtree(stage.artifacts)
    aside.rename(stage.artifacts)
    assert (rung in ("POPULAR", "NEWEST"), told) == (True, "degraded"), f"without any artifact: {rung}, {told}"
    return {"rung": rung, "health": told}


def repaired_by_training(stage: Stage, chance: random.Random) -> dict[str, str]:
    """With damaged versions live, each kind's next training and update go live, and health is good again."""
    for kind in KINDS:
        cut(stage.artifacts / stage.live()[kind][0], chance)
    stage.restart("web")
    assert stage.health()["status"] == "degraded"
    found = {}
    for kind, work in zip(KINDS, ("full", "update", "update"), strict=True):
        before = stage.live()[kind]
        state, why = stage.ended(stage.ask(kind, work=work))
        assert (state, stage.live()[kind] != before) == ("done", True), f"{work} of damaged {kind} {state}: {why}"
        found[kind] = f"{work}: {state}"
    stage.said(stage.reader, "PERSONAL", "LAST_GOOD", "POPULAR", "NEWEST")
    return found


def refused(folder: Path, sha256: str | None) -> str:
    """Why the folder may not be used; empty where it may. Without the recorded hash a guard is off."""
    try:
        load(folder, sha256=sha256)
    except ArtifactError as error:
        return str(error).replace(folder.name, "it")
    return ""


def replace(path: Path, content: bytes) -> None:
    """As a copy tool does: what another process has mapped stays as it is."""
    path.unlink()
    path.write_bytes(content)


def arrays(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("*.npy"))


def cut(folder: Path, chance: random.Random) -> None:
    path = chance.choice(arrays(folder))
    replace(path, path.read_bytes()[:-1])


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    replace(path, bytes(content))


def swap(folder: Path, chance: random.Random) -> None:
    one, other = chance.sample(arrays(folder), 2)
    first, second = one.read_bytes(), other.read_bytes()
    replace(one, second)
    replace(other, first)


def edit(folder: Path, chance: random.Random) -> None:
    """Change a file, and the manifest with it, so that the two agree."""
    path, changed = max(arrays(folder), key=lambda each: each.stat().st_size), Manifest.read(folder)
    content = path.read_bytes()
    content = content[:-1] + bytes([content[-1] ^ 1])
    replace(path, content)
    changed.files[path.name] = (len(content), hashlib.sha256(content).hexdigest())
    replace(folder / "manifest.json", changed.to_bytes())


def from_the_future(folder: Path, chance: random.Random) -> None:
    content = json.loads((folder / "manifest.json").read_bytes())
    replace(folder / "manifest.json", json.dumps({**content, "format": 1_000_000}).encode())


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "one byte cut off": cut,
    "a bit flipped": lambda folder, chance: flip(chance.choice(arrays(folder)), chance),
    "two files swapped": swap,
    "a file removed": lambda folder, chance: chance.choice(arrays(folder)).unlink(),
    "the manifest removed": lambda folder, chance: (folder / "manifest.json").unlink(),
    "file and manifest edited together": edit,
    "a format that is not known": from_the_future,
}
