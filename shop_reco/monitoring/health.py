"""Alive and ready are two questions: a process that lives is left alone, one that is not ready gets no requests.

A damaged model, or a folder of artifacts that cannot be read, makes it degraded and not unready: the ladder of lists
still answers, and with one folder for all processes none would be left to answer otherwise.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Literal

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from shop_reco.conf import reco_settings
from shop_reco.recommendations.selectors import live_versions
from shop_reco.recommendations.serving.memory import memory

KEPT = 1.0  # seconds
Verdict = Literal["ok", "degraded", "failing"]
logger = structlog.get_logger(__name__)


class Readiness:
    """Looks once a second at most, however many ask; who asks meanwhile gets the answer before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start as a new process does."""
        self._told: dict[str, Verdict] = {}
        self._until = 0.0
        self._migrated = False

    def verdicts(self) -> dict[str, Verdict]:
        """What each check found; those after one that fails are not made."""
        if time.monotonic() < self._until:
            return self._told
        if not self._lock.acquire(blocking=not self._told):  # a database that hangs must not take every thread
            return self._told
        try:
            if time.monotonic() >= self._until:
                self._told = self._look()
                self._until = time.monotonic() + KEPT
            return self._told
        finally:
            self._lock.release()

    def _look(self) -> dict[str, Verdict]:
        checks: dict[str, Callable[[], Verdict]] = {
            "database": lambda: database(),
            "migrations": self._migrations,
            "models": _models,
            "artifacts": _artifacts,
        }
        found: dict[str, Verdict] = {}
        for name, check in checks.items():
            found[name] = _verdict(name, check)
            if found[name] == "failing":
                break
        return found

    def _migrations(self) -> Verdict:
        # A process wants the same migrations for as long as it lives: it reads their files until they are applied.
        if not self._migrated:
            self._migrated = not missing_migrations()
        return "ok" if self._migrated else "failing"


def missing_migrations() -> list[str]:
    """Those that this release wants and the database has not, in the order in which they are to be applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def _verdict(name: str, check: Callable[[], Verdict]) -> Verdict:
    try:
        return check()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("not_ready", check=name, error=type(error).__name__)
    except Exception:
        logger.exception("not_ready", check=name)
    return "failing"


def database() -> Verdict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _models() -> Verdict:
    """Takes up the live versions as the first list would, by way of the state row."""
    return "degraded" if memory.models().degraded else "ok"


def _artifacts() -> Verdict:
    return "ok" if artifacts_readable() else "degraded"


def artifacts_readable() -> bool:
    """Whether what is live can be read; no folder is needed before the first training."""
    folder = reco_settings().ARTIFACTS_ROOT
    return os.access(folder, os.R_OK | os.X_OK) or (not folder.exists() and not live_versions())


readiness = Readiness()


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers; nothing else is looked at."""
    return _told("ok")


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when lists can be served, degraded or not; 503 with the check that failed."""
    checks = readiness.verdicts()
    worst = next((verdict for verdict in ("failing", "degraded") if verdict in checks.values()), "ok")
    return _told(worst, status=503 if worst == "failing" else 200, checks=checks)


def _told(status_word: str, *, status: int = 200, **more: object) -> JsonResponse:
    answer = JsonResponse({"status": status_word, **more}, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
