"""Tasks offered to the broker off the request path.

A hint lost, doubled or late changes nothing but delay: the truth is a row that beat sweeps. So a full
buffer or a broker that is down drops the hint, and nobody waits for either.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

import structlog
from celery import Task

logger = structlog.get_logger(__name__)
_waiting: queue.Queue[tuple[Task, tuple[Any, ...]]] = queue.Queue(maxsize=1000)
_starting = threading.Lock()
_publisher: threading.Thread | None = None


def offer(task: Task, *args: Any) -> bool:
    """Have ``task`` published soon; returns whether there was room for it."""
    _ensure_publisher()
    try:
        _waiting.put_nowait((task, args))
    except queue.Full:
        return False
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
        try:
            task.apply_async(args=args, retry=False, ignore_result=True)
        except Exception as error:  # whatever the broker's client raises, the sweep makes up for it
            logger.warning("hint_lost", task=task.name, error=type(error).__name__)
