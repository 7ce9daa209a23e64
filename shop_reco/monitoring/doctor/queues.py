"""Does the broker take messages, does somebody work them off, and how many wait?"""

from __future__ import annotations

from typing import Any

from celery import current_app
from kombu import Connection
from kombu.exceptions import OperationalError

from .findings import Finding, failing, ok, warning

SECONDS = 3.0
"""That a broker or a worker has to answer."""
MANY = 1000
"""Messages that may wait in a queue."""


def broker_answers() -> Finding:
    with _connection() as broker:
        try:
            broker.ensure_connection(max_retries=1, interval_start=0.1, timeout=SECONDS)
        except Exception as error:  # each transport raises errors of its own
            return failing(
                f"{broker.as_uri()} does not answer ({type(error).__name__})",
                "Start it, and see that BROKER_URL names its host, port, user and password. "
                "Until then lists are served and events taken; trainings and portraits wait.",
            )
        return ok(broker.as_uri())


def queues_are_short() -> Finding:
    """How many messages wait in each queue that the settings know."""
    names = _queues()
    with _connection() as broker:
        waiting = {name: _waiting(broker, name) for name in names}
    told = ", ".join(f"{name} {n}" for name, n in waiting.items())
    long_ = [name for name, n in waiting.items() if n > MANY]
    if long_:
        return warning(
            f"many wait: {told}",
            f"See that a worker takes from {long_[0]} and keeps up; more workers, or more --concurrency.",
        )
    return ok(f"waiting: {told}")


def worker_answers() -> Finding:
    """Somebody takes from each queue that the settings know."""
    inspect = current_app.control.inspect(timeout=SECONDS)
    taken: dict[str, Any] = inspect.active_queues() or {}
    if not taken:
        return failing(
            "no worker answers", "Start one: celery -A shop_reco worker (in a project of your own, its name)."
        )
    served = {queue["name"] for queues in taken.values() for queue in queues}
    left = [name for name in _queues() if name not in served]
    if left:
        return failing(
            f"no worker takes from {', '.join(left)}",
            f"Start one: celery -A shop_reco worker --queues {','.join(left)}",
        )
    return ok(f"{len(taken)} take from {', '.join(sorted(served))}")


def _connection() -> Connection:
    return current_app.connection_for_write(connect_timeout=SECONDS)


def _queues() -> list[str]:
    return sorted(current_app.amqp.queues)


def _waiting(broker: Connection, name: str) -> int:
    """A queue that nobody made yet holds nothing; asking for it ends the channel."""
    with broker.channel() as channel:
        try:
            return int(channel.queue_declare(queue=name, passive=True).message_count)
        except (*broker.channel_errors, OperationalError):
            return 0
