"""Tasks that fail whenever they are tried, each in its way, and one that does what it should."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from celery import shared_task

TRIES = 3


@shared_task(acks_late=True, autoretry_for=(ValueError,), max_retries=TRIES - 1, default_retry_delay=0)
def always_raises(marks: str) -> None:
    """Leaves a line for each try."""
    with Path(marks).open("a") as file:
        file.write(f"{time.time()}\n")
    raise ValueError("poison")


@shared_task(acks_late=True)
def always_kills(marks: str) -> None:
    """Leaves a line for each try, and the process of the pool dies of it."""
    with Path(marks).open("a") as file:
        file.write(f"{time.time()}\n")
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(acks_late=True)
def writes(mark: str) -> None:
    Path(mark).touch()
