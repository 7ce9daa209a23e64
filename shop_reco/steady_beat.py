"""Celery beat that goes on when the clock is set back, and while the database is away.

Else nothing would be due until the time before is reached again, and beat would end where it reads its schedule just
when the database does not answer.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import structlog
from celery.utils.time import maybe_make_aware
from django.db import InterfaceError, OperationalError, connection
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

logger = structlog.get_logger(__name__)
PAUSE = 1.0
"""Seconds between two looks at a database that is away when beat starts."""


class SteadyEntry(ModelEntry):
    """Counts from now where its last time lies ahead."""

    last_run_at: dt.datetime

    def is_due(self) -> Any:
        now = maybe_make_aware(self._default_now())
        if maybe_make_aware(self.last_run_at) > now:
            self.last_run_at = self.model.last_run_at = now
        return super().is_due()


class SteadyScheduler(DatabaseScheduler):
    """Orders its tasks anew when it sees that the clock was set back; CELERY_BEAT_SCHEDULER names it.

    At its start it waits for the database; later it goes on by what it knows, until it can read that again.
    """

    Entry = SteadyEntry
    _seen = 0.0

    def tick(self, *args: Any, **more: Any) -> float:
        now = time.time()
        if now < self._seen:
            self._heap = None
            self._last_full_sync = dt.datetime.min
        self._seen = now
        wait: float = super().tick(*args, **more)
        return wait

    def all_as_schedule(self) -> dict[str, SteadyEntry]:
        told = False
        while True:
            try:
                found: dict[str, SteadyEntry] = super().all_as_schedule()
                return found
            except (OperationalError, InterfaceError) as error:
                connection.close()
                if not told:
                    logger.warning("schedule_not_read", error=type(error).__name__)
                told = True
                if self._schedule is not None:
                    self._last_full_sync = dt.datetime.min  # read anew when it is next looked at
                    known: dict[str, SteadyEntry] = self._schedule
                    return known
            time.sleep(PAUSE)
