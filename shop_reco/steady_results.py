"""Results of tasks in the database, which a worker outlives: what a task did is in rows of its own."""

from __future__ import annotations

from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django_celery_results.backends import DatabaseBackend

logger = structlog.get_logger(__name__)


class SteadyResults(DatabaseBackend):
    """A result that cannot be stored is left out; a worker of one process would end with it otherwise."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **more: Any) -> Any:
        try:
            return super().store_result(task_id, result, state, *args, **more)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("result_not_stored", state=state, error=type(error).__name__)
            connection.close()
            return result
