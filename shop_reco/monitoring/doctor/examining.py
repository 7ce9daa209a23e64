"""All checks in the order in which they help: what the others need comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from django.db import DatabaseError, InterfaceError

from . import artifacts, database, machine, queues, schedules, staff
from .findings import Finding, failing, skipped

Check = Callable[[], Finding]
CHECKS: Mapping[str, Check] = {
    "settings": machine.settings_are_sound,
    "secrets": machine.secrets_are_long,
    "packages": machine.packages_are_there,
    "cache": machine.cache_answers,
    "files": machine.files_are_private,
    "database": database.database_answers,
    "migrations": database.migrations_are_applied,
    "limits": database.waiting_is_limited,
    "vacuum": database.tables_are_tended,
    "clock": database.clocks_agree,
    "artifacts": artifacts.folder_is_writable,
    "disk": artifacts.disk_has_room,
    "models": artifacts.models_are_whole,
    "roles": staff.roles_have_their_groups,
    "schedule": schedules.retraining_is_scheduled,
    "trainings": schedules.trainings_end_well,
    "beat": schedules.beat_ticks,
    "broker": queues.broker_answers,
    "queues": queues.queues_are_short,
    "worker": queues.worker_answers,
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "migrations": ("database",), "limits": ("database",), "vacuum": ("database",), "clock": ("database",),
    "models": ("database", "migrations"), "roles": ("database", "migrations"),
    "schedule": ("database", "migrations"), "trainings": ("database", "migrations"), "beat": ("database", "migrations"),
    "artifacts": ("database", "migrations"), "queues": ("broker",), "worker": ("broker",),
}  # fmt: skip
"""Checks that say nothing where another one fails."""


def examine() -> Iterator[tuple[str, Finding]]:
    """Each check with what it found, as soon as it has; one that breaks is a finding, too."""
    failed: set[str] = set()
    for name, check in CHECKS.items():
        missing = failed.intersection(NEEDS.get(name, ()))
        finding = skipped(f"needs the {sorted(missing)[0]}") if missing else _made(check)
        if finding.verdict == "failing" or missing:
            failed.add(name)
        yield name, finding


def _made(check: Check) -> Finding:
    try:
        return check()
    except (DatabaseError, InterfaceError) as error:
        return failing(f"the database says {type(error).__name__}", "Look at the finding about the database.")
    except Exception as error:  # its message may hold a secret
        return failing(f"the check broke: {type(error).__name__}", "Report this; the log of the process says where.")
