"""Tasks offered to the broker off the request path.

A hint lost, doubled or late changes nothing but delay: the truth is a row that beat sweeps. So a full
buffer or a broker that is down drops the hint, and nobody waits for either. A hint that is waiting already
is not offered twice: one sweep answers all that was committed before it was published.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import structlog
from celery import Task

from .measures import hint_lost
from .queues import ONCE_MORE

PAUSE = 0.2
"""Seconds in which hints gather: under a stream of events one is published for many."""

logger = structlog.get_logger(__name__)
_waiting: queue.Queue[tuple[Task, tuple[Any, ...]]] = queue.Queue(maxsize=1000)
_offered: set[tuple[str, tuple[Any, ...]]] = set()
_offering = threading.Lock()
_starting = threading.Lock()
_publisher: threading.Thread | None = None


def offer(task: Task, *args: Any) -> bool:
    """Have ``task`` published soon; returns whether there was room for it."""
    _ensure_publisher()
    with _offering:
        if (task.name, args) in _offered:
            return True
        try:
            _waiting.put_nowait((task, args))
        except queue.Full:
            hint_lost()
            return False
        _offered.add((task.name, args))
    return True


def _ensure_publisher() -> None:
    global _publisher
    with _starting:
        if _publisher is None or not _publisher.is_alive():
            _publisher = threading.Thread(target=_publish_forever, name="reco-hints", daemon=True)
            _publisher.start()


def _publish_forever() -> None:
    while True:
        task, args = _waiting.get()
        with _offering:
            _offered.discard((task.name, args))
        try:
            task.apply_async(args=args, retry=True, retry_policy=ONCE_MORE, ignore_result=True)
        except Exception as error:  # whatever the broker's client raises, the sweep makes up for it
            hint_lost()
            logger.warning("hint_lost", task=task.name, error=type(error).__name__)
        if _waiting.empty():
            time.sleep(PAUSE)
