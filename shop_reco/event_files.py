"""What a training tells, written where TensorBoard reads it: a folder a run below TENSORBOARD_ROOT.

The package tensorboard is imported by the process that trains, and only once there is a loss to write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from .conf import reco_settings

logger = structlog.get_logger(__name__)


class EventFiles:
    """Hears the progress of a fit, and keeps the loss of each epoch and how long the epoch took.

    A training never fails for what is written here: the first error ends the writing.
    """

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is written."""
        self._folder = folder
        self._writer: Any = None
        self._epoch, self._since = 0, time.monotonic()

    def __call__(self, done: float, loss: float | None = None) -> None:
        """``done`` is the share of the fit that is over, 0 to 1; a word without a loss ends no epoch."""
        if loss is None or self._folder is None:
            return
        now, self._epoch = time.monotonic(), self._epoch + 1
        values = {"loss": loss, "done": done, "epoch_seconds": now - self._since}
        self._since = now
        self._try(lambda: self._write(values))

    def close(self) -> None:
        """Have all of it on disk."""
        if self._writer is not None:
            self._try(self._writer.close)
        self._folder = self._writer = None

    def _write(self, values: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = self._writer or EventFileWriter(str(self._folder))
        told = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._writer.add_event(Event(wall_time=time.time(), step=self._epoch, summary=Summary(value=told)))
        self._writer.flush()

    def _try(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except Exception as error:  # no package, a full disk, a folder that went away: whatever the writer says
            logger.warning("event_files_lost", error=type(error).__name__)
            self._folder = self._writer = None


@contextmanager
def event_files(*, kind: str, run: str) -> Iterator[EventFiles]:
    """A listener for one run of one kind of recommender; it writes where TENSORBOARD_ROOT says so."""
    root = reco_settings().TENSORBOARD_ROOT
    files = EventFiles(root and root / f"{kind}-{run}")
    try:
        yield files
    finally:
        files.close()
