"""Services on another clock; delivered twice, the second run finds nothing left to do."""

from __future__ import annotations

from celery import shared_task

from . import exports, retention, sessions


@shared_task(acks_late=True)
def build_exports() -> int:
    """Make the exports that wait; returns how many."""
    return exports.build_waiting()


@shared_task(acks_late=True)
def sweep_sessions() -> int:
    """Clear the sessions of who was erased, where that waits; returns how many erasures are through with it."""
    return sessions.sweep_waiting()


@shared_task(acks_late=True)
def trim() -> dict[str, int]:
    """Delete what was kept long enough; returns how many rows, by what they were."""
    return retention.trim()
