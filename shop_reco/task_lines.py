"""A Celery task's lines carry its id, whichever project's Celery runs it."""

from __future__ import annotations

from typing import Any

from celery.signals import task_postrun, task_prerun
from structlog.contextvars import bind_contextvars, unbind_contextvars


@task_prerun.connect
def name_lines(task_id: str = "", task: Any = None, **kwargs: Any) -> None:
    bind_contextvars(task_id=task_id, task=getattr(task, "name", ""))


@task_postrun.connect
def forget_name(**kwargs: Any) -> None:
    unbind_contextvars("task_id", "task")
