"""Can models be written, is there room for them, and are those that serve whole?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from shop_reco.conf import reco_settings
from shop_reco.recommendations.selectors import live_versions
from shop_reco.recommendations.serving.memory import damaged_versions

from .. import health
from .findings import Finding, failing, ok, warning

LITTLE, TOO_LITTLE = 2 * 2**30, 256 * 2**20
"""Bytes of free disk below which it is worth a look, and below which the next training fails."""


def folder_is_writable() -> Finding:
    """By the user of this process; run it as the one who trains."""
    root = reco_settings().ARTIFACTS_ROOT
    if not health.artifacts_readable():
        return failing(f"{root} cannot be read", "Mount it, or set ARTIFACTS_ROOT to the folder where the models are.")
    place = _there(root)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return failing(
            f"nothing can be written in {place} ({type(error).__name__})",
            "Give the folder to the user of the worker: chown, and mount it writable.",
        )
    return ok(f"{root} is written to" if root.exists() else f"{root} comes with the first training")


def disk_has_room() -> Finding:
    root = reco_settings().ARTIFACTS_ROOT
    free = shutil.disk_usage(_there(root)).free
    found = f"{free / 2**30:.1f} GB free for {root}"
    advice = "Make room, or move ARTIFACTS_ROOT to a larger disk; old versions go by themselves."
    if free < TOO_LITTLE:
        return failing(found, advice)
    return warning(found, advice) if free < LITTLE else ok(found)


def models_are_whole() -> Finding:
    """Every file of each live version is the one that was written, by its sha256."""
    live = len(live_versions())
    if not live:
        return warning(
            "none is live: shoppers see the newest products",
            'Train: celery -A shop_reco call shop_reco.recommendations.tasks.train_all, or "Train" in the admin.',
        )
    damaged = damaged_versions()
    if damaged:
        told = "; ".join(f"{kind}: {why}" for kind, why in sorted(damaged.items()))
        return failing(
            f"{len(damaged)} of {live} live versions are damaged: {told}",
            "Train these recommenders anew, roll back in the admin, or put back the files from a backup.",
        )
    return ok(f"{live} live versions, each file as it was written")


def _there(folder: Path) -> Path:
    """The folder, or what there is above it."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())
