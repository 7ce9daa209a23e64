"""Writing a fitted model into a folder, once, and mapping it back after every byte was checked."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import numpy as np

from reco_engine.errors import ArtifactError
from reco_engine.ranking.blending import Blend
from reco_engine.ranking.silence import Silence
from reco_engine.recommenders.registry import BUILT_IN, class_of

from .manifest import MANIFEST, Manifest

BESIDE: dict[str, type[Any]] = {Blend.name: Blend, Silence.name: Silence}
"""What is learned and stored, and is no recommender."""


def save(model: Any, directory: Path | str) -> Manifest:
    """Write ``model`` to ``directory``, which must not exist: beside it first, synced, then renamed.

    Settings go to the manifest, learned arrays (names with a trailing underscore) to npy files.

    Raises:
        ArtifactError: If the folder exists, or the model has arrays of Python objects.
    """
    target = Path(directory)
    if target.exists():
        raise ArtifactError(f"{target.name} exists; an artifact is written once and never changed")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        manifest = _write(model, draft)
        os.rename(draft, target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def load(directory: Path | str, *, sha256: str | None = None) -> Any:
    """Map a model back, after checking that every file is the one that was written.

    Args:
        sha256: What the manifest's own hash must be, where it was recorded elsewhere.
    Raises:
        ArtifactError: If anything is missing, changed, a link, or unknown, or was learnt by a release whose
            recommender had other settings or kept other arrays.
    """
    folder = Path(directory)
    if folder.is_symlink() or not folder.is_dir():
        raise ArtifactError(f"{folder.name} is no folder of an artifact")
    manifest = Manifest.read(folder)
    if sha256 is not None and manifest.sha256 != sha256:
        raise ArtifactError(f"the manifest of {folder.name} is not the one that was recorded")
    for name, entry in manifest.files.items():
        _verify(folder / name, *entry)
    model = _made(manifest, folder.name)
    for name in manifest.files:
        array = np.asarray(np.load(folder / name, mmap_mode="r", allow_pickle=False))  # a plain view is faster
        value: Any = array.item() if array.ndim == 0 else array
        setattr(model, name.removesuffix(".npy"), value)
    return model


def _made(manifest: Manifest, name: str) -> Any:
    """The unfitted model, if this release knows its settings and all that it had learnt."""
    known = _class_of(manifest.kind)
    settings = {field.name for field in fields(known) if field.init}
    learnt = {f"{field.name}.npy" for field in fields(known) if field.name.endswith("_")}
    needed = {f"{field.name}.npy" for field in fields(known) if field.name.endswith("_") and not _has_default(field)}
    strange = sorted(manifest.settings.keys() - settings) + sorted(manifest.files.keys() - learnt)
    missing = sorted(needed - manifest.files.keys())
    if strange or missing:
        told = ", ".join(
            [*(f"{each} is not known here" for each in strange), *(f"{each} is missing" for each in missing)]
        )
        raise ArtifactError(f"{name} was written by another release: {told}; train it anew")
    return known(**manifest.settings)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _class_of(kind: str) -> Any:
    if kind in BESIDE:
        return BESIDE[kind]
    if kind not in BUILT_IN:
        raise ArtifactError(f"recommender {kind!r} is not known here")
    return class_of(kind)


def _write(model: Any, folder: Path) -> Manifest:
    settings, files = {}, {}
    for field in fields(model):
        value = getattr(model, field.name)
        if not field.name.endswith("_"):
            settings[field.name] = value
            continue
        array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        if array.dtype.hasobject:
            raise ArtifactError(f"{field.name} holds Python objects; keep numbers or strings")
        name = f"{field.name}.npy"
        with (folder / name).open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        files[name] = ((folder / name).stat().st_size, _sha256(folder / name))
    manifest = Manifest(model.name, settings, files)
    with (folder / MANIFEST).open("wb") as file:
        file.write(manifest.to_bytes())
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return manifest


def _verify(path: Path, size: int, sha256: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise ArtifactError(f"{path.name} is missing")
    if path.stat().st_size != size or _sha256(path) != sha256:
        raise ArtifactError(f"{path.name} is not the file that was written")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
