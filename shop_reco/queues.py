"""Which queue each task waits in, and how a broker is spoken to: for the Celery settings of any project.

A portrait must not wait for a training, nor either of them for a night's tidying up.
"""

from __future__ import annotations

from typing import Any

from kombu import Exchange, Queue

PORTRAITS, TRAINING, MAINTENANCE = "portraits", "training", "maintenance"
NAMES = (PORTRAITS, TRAINING, MAINTENANCE)

TASKS = {
    "shop_reco.portraits.tasks.refresh_dirty": PORTRAITS,
    "shop_reco.recommendations.tasks.train_recommender": TRAINING,
    "shop_reco.recommendations.tasks.train_all": TRAINING,
    "shop_reco.recommendations.tasks.update_counts": TRAINING,
    "shop_reco.recommendations.tasks.update_content": TRAINING,
    "shop_reco.recommendations.tasks.unlearn": TRAINING,
    "shop_reco.recommendations.tasks.sweep_runs": TRAINING,
    "shop_reco.*": MAINTENANCE,
}
"""The first name or pattern that fits decides."""

BACK = 20
"""Seconds after which Redis hands on what a worker that is silent since has not finished."""
SWEEP = 5
"""Seconds between two looks for that."""
PATIENCE = 0.5
"""Seconds in which a broker must take a connection."""
LONGEST = 24 * 3600
"""Seconds that RabbitMQ leaves a training with its worker; by itself it takes it back after half an hour."""
ONCE_MORE = {"max_retries": 1, "interval_start": 0.0, "interval_step": 0.1, "interval_max": 0.1}
"""Of a publication: a connection that the broker has closed is opened anew, and then it is given up."""


def task_routes(prefix: str = "") -> dict[str, dict[str, str]]:
    """CELERY_TASK_ROUTES; ``prefix`` tells the queues from others of the same broker."""
    return {task: {"queue": prefix + name} for task, name in TASKS.items()}


def task_queues(prefix: str = "") -> list[Queue]:
    """CELERY_TASK_QUEUES: what a worker that is given no --queues takes from."""
    return [
        # an exchange and a key of its own: by Celery's defaults each queue would get the messages of all
        Queue(prefix + name, Exchange(prefix + name), routing_key=prefix + name, queue_arguments=_arguments(name))
        for name in NAMES
    ]


def _arguments(name: str) -> dict[str, Any] | None:
    return {"x-consumer-timeout": LONGEST * 1000} if name == TRAINING else None


def broker_transport_options(url: str) -> dict[str, Any]:
    """CELERY_BROKER_TRANSPORT_OPTIONS: what a dead worker held comes back in seconds, and a dead broker holds nobody.

    A task that takes longer than BACK is delivered a second time, which finds nothing left to do.
    """
    once = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1, "interval_max": 0.1}
    if url.startswith(("redis", "sentinel", "valkey")):
        return {
            **once,
            "connect_retries_timeout": PATIENCE,
            "socket_connect_timeout": PATIENCE,
            "socket_timeout": 1.0,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "visibility_timeout": BACK,
            "unacked_restore_interval": SWEEP,
            "unacked_restore_throttle": 1,
        }
    if url.startswith(("amqp", "pyamqp")):
        return {**once, "connect_retries_timeout": PATIENCE}
    return {}
