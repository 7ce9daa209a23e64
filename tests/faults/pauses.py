"""Makes each commit of a process of the shop come late, so that whatever runs before it finds nothing.

An app that the settings of the fault tests add where FAULTS_COMMIT_PAUSE says by how many seconds. With FAULTS_EARLY
what waits for the commit is done at once: so a shop would be that did not wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper


class Pauses(AppConfig):
    name = "tests.faults"
    label = "faults_pauses"

    def ready(self) -> None:
        seconds, commit = float(os.environ["FAULTS_COMMIT_PAUSE"]), BaseDatabaseWrapper._commit

        def late(wrapper: BaseDatabaseWrapper) -> Any:
            time.sleep(seconds)
            return commit(wrapper)

        BaseDatabaseWrapper._commit = late
        if "FAULTS_EARLY" in os.environ:
            transaction.on_commit = _at_once


def _at_once(work: Callable[[], None], using: str | None = None, robust: bool = False) -> None:
    work()
