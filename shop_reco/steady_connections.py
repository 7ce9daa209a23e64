"""Tasks of a worker share a connection to the database for as long as Django would keep it."""

from __future__ import annotations

from typing import Any

from celery import Task
from celery.signals import task_prerun
from django.db import close_old_connections


@task_prerun.connect
def before_a_task(sender: Task, **kwargs: Any) -> None:
    """As before a request: one that failed or outlived CONN_MAX_AGE is closed, and CONN_HEALTH_CHECKS counts anew.

    Celery by itself opens a connection for each task, which takes longer than many a task does. Where it is told not
    to (CELERY_DB_REUSE_MAX), it looks at none of these.
    """
    if not sender.request.is_eager:
        close_old_connections()
