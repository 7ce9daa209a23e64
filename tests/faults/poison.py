"""Tasks that fail whenever they are tried, each in its way, and two that do what they should."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from celery import shared_task
from django.db import connection

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


@shared_task(acks_late=True)
def counts_tasks_of_its_connection(marks: str) -> None:
    """Leaves a line with how many of these tasks the connection has served, which only the connection itself knows."""
    with connection.cursor() as cursor:
        cursor.execute("create temporary table if not exists served (n integer)")
        cursor.execute("insert into served values (1)")
        cursor.execute("select count(*) from served")
        (n,) = cursor.fetchone()
    with Path(marks).open("a") as file:
        file.write(f"{n}\n")
