"""What a run says of itself while it goes on: phase, progress, loss, the last lines of its log, what it takes."""

from __future__ import annotations

import resource
import time
from collections import deque
from collections.abc import Callable

from django.utils import timezone

from .. import services
from ..models import TrainingRun

LINES = 60
"""Of the log that a run keeps."""
PAUSE = 1.0
"""Seconds between two heartbeats of one phase."""
Phase = TrainingRun.Phase
Tell = Callable[..., None]


class Teller:
    """Turns what a fit says into heartbeats, one a second at most; a phase begins with one.

    Each heartbeat raises RunCancelledError where the run was cancelled or taken over.
    """

    def __init__(self, run: TrainingRun) -> None:
        self._run, self._last = run, 0.0
        self._phase, self._from, self._to = "", 0.0, 0.0
        self._loss: float | None = None
        self._log: deque[str] = deque(run.log.splitlines(), maxlen=LINES)
        self._clock = time.monotonic()

    def phase(self, phase: str, start: float, end: float) -> Callable[[float], None]:
        """Begin a phase that lasts from ``start`` to ``end`` of the whole; returns what hears its own progress."""
        self._phase, self._from, self._to = phase, start, end
        self.say(str(Phase(phase).label))
        self._beat(start)

        def hear(done: float, loss: float | None = None) -> None:
            self._loss = self._loss if loss is None else float(loss)
            if time.monotonic() - self._last >= PAUSE:
                self._beat(start + (end - start) * min(max(done, 0.0), 1.0))

        return hear

    def say(self, text: str) -> None:
        """Add a line to the log; it is stored with the next heartbeat."""
        self._log.append(f"{timezone.now():%H:%M:%S} {text}")

    def fail(self, why: str) -> None:
        """End the run as failed, unless it is not ours any more."""
        self.say(why)
        services.fail_run(run=self._run, why=why, log=self.log, resources=self.resources)

    @property
    def log(self) -> str:
        return "\n".join(self._log)

    @property
    def resources(self) -> dict[str, float]:
        """Of this process: seconds of processor and of the clock, peak memory in MB."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "processor_s": round(used.ru_utime + used.ru_stime, 1),
            "clock_s": round(time.monotonic() - self._clock, 1),
            "peak_mb": round(used.ru_maxrss / 1024, 0),
        }

    def _beat(self, progress: float) -> None:
        self._last = time.monotonic()
        services.beat_heart(
            run=self._run,
            phase=self._phase,
            progress=progress,
            loss=self._loss,
            log=self.log,
            resources=self.resources,
        )
