"""Services on another clock. A hint lost or doubled changes nothing: the runs are rows, and beat sweeps them."""

from __future__ import annotations

from celery import shared_task

from . import services
from .training import run_next


@shared_task(acks_late=True)
def train_recommender(kind: str) -> int:
    """Request a run of one recommender and work off what is queued; returns how many runs ended here."""
    services.request_training(kind=kind)
    return work_off()


@shared_task(acks_late=True)
def train_all() -> int:
    """Request a run of every recommender and work off what is queued; returns how many runs ended here."""
    services.request_all()
    return work_off()


@shared_task(acks_late=True)
def sweep_runs() -> int:
    """Work off what a lost hint or a dead worker left; returns how many runs ended here."""
    return work_off()


@shared_task
def trim_slates() -> int:
    return services.trim_slates()


def work_off() -> int:
    done = 0
    while run_next() is not None:
        done += 1
    return done
