"""A worker gives back what its tasks needed for a moment: else it stays as large as its largest task made it."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from typing import Any

from celery.signals import task_postrun
from django.db import connections

REST = 60.0
"""Seconds at least between two times: tasks that come each second would only fetch anew what was given back."""
_last = -math.inf


@task_postrun.connect
def after_a_task(**kwargs: Any) -> None:
    global _last
    now = time.monotonic()
    if now - _last >= REST:
        _last = now
        give_back()


def give_back() -> None:
    """Close SQLite's connections, and return free memory to the system where the C library is asked for that.

    A connection keeps pages and statements until others need their place, glibc what lies below a byte in use.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            connection.close()  # the next query opens it anew, within a millisecond or two
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
