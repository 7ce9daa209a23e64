"""Services on another clock. A hint lost or doubled changes nothing: the runs are rows, and beat sweeps them."""

from __future__ import annotations

from celery import Task, shared_task

from . import services
from .training import run_next


@shared_task(acks_late=True, bind=True)
def train_recommender(self: Task, kind: str) -> int:
    """Request a run of one recommender and work off what is queued; returns how many runs ended here."""
    services.request_training(kind=kind, ticket=self.request.id or "")
    return work_off()


@shared_task(acks_late=True, bind=True)
def train_all(self: Task) -> int:
    """Request a run of every recommender and work off what is queued; returns how many runs ended here."""
    services.request_all(ticket=self.request.id or "")
    return work_off()


@shared_task(acks_late=True)
def sweep_runs() -> int:
    """Work off what a lost hint or a dead worker left; returns how many runs ended here."""
    return work_off()


@shared_task
def trim_slates() -> int:
    return services.trim_slates()


@shared_task(acks_late=True)
def roll_up_answers() -> int:
    """Count the clicks and purchases of lists where these may have changed; returns how many days were counted."""
    return services.roll_up_answers()


def work_off() -> int:
    done = 0
    while run_next() is not None:
        done += 1
    return done
