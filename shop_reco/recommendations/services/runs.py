"""What can happen to a training run."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shop_reco.conf import reco_settings

from ..errors import RunCancelledError
from ..models import (
    Recommender,
    TrainingRun,
)
from .switching import KINDS

MAX_ATTEMPTS = 3


@transaction.atomic
def request_training(*, kind: str, by: Any = None, ticket: str = "") -> TrainingRun:
    """Queue a run, or return the one that is queued or running already.

    ``ticket`` names the message that asks: delivered again, however late, it gets the run that it got before.
    """
    Recommender.objects.select_for_update().get(kind=kind)
    mine = Q(state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING])
    if ticket:
        mine |= Q(ticket=ticket)
    asked = TrainingRun.objects.filter(mine, recommender=kind).first()
    if asked is not None:
        return asked
    return TrainingRun.objects.create(recommender_id=kind, requested_by=by, ticket=ticket)


def request_all(*, by: Any = None, ticket: str = "") -> list[TrainingRun]:
    """Queue a run of every recommender; the hybrid comes last."""
    return [request_training(kind=kind, by=by, ticket=ticket) for kind in KINDS]


@transaction.atomic
def claim_next_run(*, owner: uuid.UUID) -> TrainingRun | None:
    """Take the oldest run that nobody works on; a run whose lease ran out counts as such.

    One run at a time: None while another worker's lease is good.
    """
    now = timezone.now()
    running = TrainingRun.objects.select_for_update().filter(state=TrainingRun.State.RUNNING)
    if running.filter(lease_until__gt=now).exists():
        return None
    tired = running.filter(lease_until__lte=now, attempts__gte=MAX_ATTEMPTS)
    tired.update(state=TrainingRun.State.FAILED, why="the worker died each time it tried", finished_at=now)
    free = Q(state=TrainingRun.State.QUEUED) | Q(state=TrainingRun.State.RUNNING, lease_until__lte=now)
    run = TrainingRun.objects.select_for_update().filter(free).order_by("requested_at", "pk").first()
    if run is None:
        return None
    run.state, run.owner, run.started_at = TrainingRun.State.RUNNING, owner, now
    run.lease_until = now + dt.timedelta(seconds=reco_settings().LEASE)
    run.attempts, run.progress, run.phase, run.why = run.attempts + 1, 0.0, "", ""
    run.save()
    return run


@transaction.atomic
def beat_heart(*, run: TrainingRun, phase: str, progress: float) -> None:
    """Renew the lease and tell how far it has come.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    lease_until = timezone.now() + dt.timedelta(seconds=reco_settings().LEASE)
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    if not mine.update(lease_until=lease_until, phase=phase, progress=min(max(progress, 0.0), 1.0)):
        raise RunCancelledError


@transaction.atomic
def fail_run(*, run: TrainingRun, why: str) -> None:
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    mine.update(state=TrainingRun.State.FAILED, why=why, finished_at=timezone.now())


@transaction.atomic
def cancel_run(*, run: TrainingRun) -> None:
    """End a run that has not ended; the worker notices at its next heartbeat."""
    unfinished = TrainingRun.objects.filter(pk=run.pk, state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING])
    unfinished.update(state=TrainingRun.State.CANCELLED, why="cancelled by staff", finished_at=timezone.now())
