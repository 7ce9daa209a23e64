"""Kills a process of the shop at a numbered step of its own work, which no signal from outside could hit.

An app that the settings of the fault tests add where FAULTS_STEP_FILE names a file. Whoever comes to the step that
stands in it deletes it and dies.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.apps import AppConfig

STEPS = ("write", "rename", "sync", "read back", "record", "switch", "tell")
"""Of a promotion: nothing is synced yet; all is, beside; renamed; synced; read back; recorded; not committed; done."""


class Harm(AppConfig):
    name = "tests.faults"
    label = "faults"

    def ready(self) -> None:
        from reco_engine.artifacts import store
        from shop_reco.recommendations import services
        from shop_reco.recommendations.services import versions
        from shop_reco.recommendations.training import fitting

        fsync, rename = _deadly("write", os.fsync), _deadly("rename", os.rename)
        store.os = SimpleNamespace(**{**vars(os), "fsync": fsync, "rename": rename})  # type: ignore[attr-defined]
        fitting.load = _deadly("sync", fitting.load)
        fitting.ModelVersion = _Recording(fitting.ModelVersion)  # type: ignore[misc]
        versions.bump_serving_revision = _deadly("switch", versions.bump_serving_revision)
        services.promote = _deadly("record", _deadly("tell", services.promote, after=True))


class _Recording:
    """Stands for the table of versions, whose next row is not written."""

    def __init__(self, model: Any) -> None:
        self.objects = SimpleNamespace(create=_deadly("read back", model.objects.create))
        self.State = model.State


def _deadly(step: str, work: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    def done(*arguments: Any, **more: Any) -> Any:
        if not after:
            _die_at(step)
        found = work(*arguments, **more)
        if after:
            _die_at(step)
        return found

    return done


def _die_at(step: str) -> None:
    told = Path(os.environ["FAULTS_STEP_FILE"])
    if told.exists() and told.read_text() == step:
        told.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
