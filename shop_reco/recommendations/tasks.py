"""Services on another clock. A hint lost or doubled changes nothing: the runs are rows, and beat sweeps them."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from . import services
from .models import TrainingRun
from .training import prune_versions, trim_exports, work_off
from .training.news import OF_THE_CATALOGUE, SCHEDULED

COUNTED = ("popularity", "trending", "item_cf", "user_cf", "buy_again")
"""What new events alone bring up to date, in seconds to minutes."""
PUBLISHED = "reco_published"
"""The header with the minute in which beat published a task: two beats that publish it twice ask once."""


@shared_task(acks_late=True, bind=True)
def train_recommender(self: Task, kind: str) -> int:
    """Request a run of one recommender and work off what is queued; returns how many runs ended here."""
    services.request_training(kind=kind, ticket=ticket_of(self.request))
    return work_off()


@shared_task(acks_late=True, bind=True)
def train_all(self: Task) -> int:
    """Request a run of every recommender and work off what is queued; returns how many runs ended here."""
    services.request_all(ticket=ticket_of(self.request))
    return work_off()


@shared_task(acks_late=True, bind=True)
def update_counts(self: Task) -> int:
    """Bring what counts takers up to date with the newest events; returns how many runs ended here."""
    return _update(COUNTED, ticket_of(self.request))


@shared_task(acks_late=True, bind=True)
def update_content(self: Task) -> int:
    """Bring what knows products by what they are up to date with the catalogue; returns how many runs ended here."""
    return _update(OF_THE_CATALOGUE, ticket_of(self.request))


def _update(kinds: tuple[str, ...], ticket: str) -> int:
    for kind in kinds:
        services.request_training(kind=kind, ticket=ticket, work=TrainingRun.Work.UPDATE)
    return work_off()


@shared_task(acks_late=True)
def unlearn() -> int:
    """Fit anew what may have learnt from who was erased, and delete what nothing needs or may hold them.

    Returns how many runs ended.
    """
    trim_exports()
    services.request_unlearning()
    done = work_off()
    prune_versions()
    return done


@shared_task(acks_late=True, expires=60)  # one comes each 5 seconds, and during a training nobody takes them
def sweep_runs() -> int:
    """Work off what a lost hint or a dead worker left; returns how many runs ended here."""
    return work_off()


@shared_task
def trim_slates() -> int:
    return services.trim_slates()


def ticket_of(request: Any) -> str:
    """The slot of the schedule that asked, the same for two beats; else the message's own id."""
    headers = {**(request.headers or {}), **vars(request)}
    name, minute = headers.get("periodic_task_name"), headers.get(PUBLISHED)
    return f"{SCHEDULED}{minute}/{request.task}"[:64] if name and minute else request.id or ""


@shared_task(acks_late=True)
def roll_up_answers() -> int:
    """Count the clicks and purchases of lists where these may have changed; returns how many days were counted."""
    return services.roll_up_answers()
