"""Celery's broker in a folder, whose worker passes over a message that a death left half written.

kombu's own would end the worker with it. What the message was for is a row that beat sweeps.
"""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, filesystem

logger = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    def _get(self, queue: str) -> Any:
        """The next message, which is gone from the folder by then, whole or not."""
        try:
            found = super()._get(queue)
        except ValueError as error:
            logger.warning("message_dropped", queue=queue, error=type(error).__name__)
            raise Empty from error
        if not isinstance(found, dict) or not isinstance(found.get("properties"), dict):
            logger.warning("message_dropped", queue=queue, error="of another shape")
            raise Empty
        return found


class Transport(filesystem.Transport):
    Channel = Channel


def use() -> None:
    """Have ``filesystem://`` mean this one."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
