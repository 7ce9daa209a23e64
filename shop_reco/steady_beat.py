"""Celery beat that goes on when the clock is set back: else nothing is due until the time before is reached again."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from celery.utils.time import maybe_make_aware
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry


class SteadyEntry(ModelEntry):
    """Counts from now where its last time lies ahead."""

    last_run_at: dt.datetime

    def is_due(self) -> Any:
        now = maybe_make_aware(self._default_now())
        if maybe_make_aware(self.last_run_at) > now:
            self.last_run_at = self.model.last_run_at = now
        return super().is_due()


class SteadyScheduler(DatabaseScheduler):
    """Orders its tasks anew when it sees that the clock was set back; CELERY_BEAT_SCHEDULER names it."""

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
