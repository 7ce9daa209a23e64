"""What a training tells, written where TensorBoard reads it: a folder a run below TENSORBOARD_ROOT.

The package tensorboard is imported by the process that trains, and only when it writes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
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

    def __init__(self, folder: Path) -> None:
        """Raises ImportError where tensorboard is not installed, OSError where ``folder`` cannot be written."""
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer: Any = EventFileWriter(str(folder))
        self._epoch, self._since = 0, time.monotonic()

    def __call__(self, done: float, loss: float | None = None) -> None:
        """``done`` is the share of the fit that is over, 0 to 1; a word without a loss ends no epoch."""
        if loss is None:
            return
        now, self._epoch = time.monotonic(), self._epoch + 1
        self._write({"loss": loss, "done": done, "epoch_seconds": now - self._since})
        self._since = now

    def close(self) -> None:
        """Have all of it on disk."""
        if self._writer is not None:
            try:
                self._writer.close()
            except Exception as error:
                logger.warning("event_files_lost", error=type(error).__name__)
        self._writer = None

    def _write(self, values: dict[str, float]) -> None:
        if self._writer is None:
            return
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        told = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        event = Event(wall_time=time.time(), step=self._epoch, summary=Summary(value=told))
        try:
            self._writer.add_event(event)
            self._writer.flush()
        except Exception as error:  # whatever its thread ran into: a full disk, a folder that went away
            logger.warning("event_files_lost", error=type(error).__name__)
            self._writer = None


@contextmanager
def event_files(*, kind: str, run: str) -> Iterator[EventFiles | None]:
    """A listener for one run of one kind of recommender; None where TENSORBOARD_ROOT is not set, or not writable."""
    root = reco_settings().TENSORBOARD_ROOT
    files = None
    if root is not None:
        try:
            files = EventFiles(root / f"{kind}-{run}")
        except (ImportError, OSError) as error:
            logger.warning("event_files_off", error=type(error).__name__)
    try:
        yield files
    finally:
        if files is not None:
            files.close()
