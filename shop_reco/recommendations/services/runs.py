"""What can happen to a training run."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from shop_reco.conf import reco_settings

from ..errors import RunCancelledError
from ..models import Recommender, TrainingRun
from .switching import KINDS

MAX_ATTEMPTS = 3
"""How often a run is begun before it counts as failed, where its workers died."""
MAX_KILLED = 2
"""The same, where its process was killed: what needs more memory than there is will not fit the next time either."""
CLAIM = 0x5265636F
"""PostgreSQL's advisory lock of whoever claims a run; "Reco" in ASCII."""
State, Work = TrainingRun.State, TrainingRun.Work
URGENCY = (Work.UPDATE, Work.FULL, Work.ERASURE)
"""A run does the work of those before it, too."""


@transaction.atomic
def request_training(*, kind: str, by: Any = None, ticket: str = "", work: str = Work.FULL) -> TrainingRun:
    """Queue a run, or return the one that is queued or running already; one that is queued does the most asked for.

    ``ticket`` names the message or the slot of a schedule that asks: delivered again, however late, it gets the run
    that it got before.
    """
    Recommender.objects.select_for_update().get(kind=kind)
    mine = Q(state__in=[State.QUEUED, State.RUNNING])
    if ticket:
        mine |= Q(ticket=ticket)
    asked = TrainingRun.objects.filter(mine, recommender=kind).first()
    if asked is None:
        return TrainingRun.objects.create(recommender_id=kind, requested_by=by, ticket=ticket, work=work)
    if asked.state == State.QUEUED and URGENCY.index(Work(work)) > URGENCY.index(Work(asked.work)):
        asked.work = work
        asked.save(update_fields=["work"])
    return asked


def request_all(*, by: Any = None, ticket: str = "") -> list[TrainingRun]:
    """Queue a run of every recommender; the hybrid comes last."""
    return [request_training(kind=kind, by=by, ticket=ticket) for kind in KINDS]


@transaction.atomic
def claim_next_run(*, owner: uuid.UUID) -> TrainingRun | None:
    """Take the oldest run that nobody works on; a run whose lease ran out counts as such.

    One run at a time: None while another worker's lease is good. A lease that ends later than any can was given
    before the clock was set back, and is none.
    """
    _alone_in_claiming()
    now = _now()
    lease = dt.timedelta(seconds=reco_settings().LEASE)
    good = Q(lease_until__gt=now, lease_until__lte=now + 2 * lease)
    running = TrainingRun.objects.select_for_update().filter(state=State.RUNNING)
    if running.filter(good).exists():
        return None
    tired = running.filter(attempts__gte=MAX_ATTEMPTS)
    tired.update(state=State.FAILED, why=_("the worker died each time it tried"), finished_at=now)
    waiting = TrainingRun.objects.select_for_update().filter(state__in=[State.QUEUED, State.RUNNING])
    run = waiting.order_by("requested_at", "pk").first()
    if run is None:
        return None
    if run.state == State.RUNNING:
        run.log = f"{run.log}\n{now:%H:%M:%S} its worker died; another one takes over".strip()
    run.state, run.owner, run.started_at, run.lease_until = State.RUNNING, owner, now, now + lease
    run.attempts, run.progress, run.phase, run.why, run.loss = run.attempts + 1, 0.0, "", "", None
    run.save()
    return run


@transaction.atomic
def beat_heart(
    *,
    run: TrainingRun,
    phase: str,
    progress: float,
    loss: float | None = None,
    log: str = "",
    resources: Mapping[str, float] | None = None,
) -> None:
    """Renew the lease and tell how far it has come.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    share = min(max(progress, 0.0), 1.0)
    told = {"phase": phase, "progress": share, "loss": loss, "log": log, "resources": dict(resources or {})}
    _must(_mine(run).update(lease_until=_lease_end(), **told))


@transaction.atomic
def renew_lease(*, run: TrainingRun) -> None:
    """The same without a word.

    Raises:
        RunCancelledError: If the run has ended or belongs to another worker by now.
    """
    _must(_mine(run).update(lease_until=_lease_end()))


@transaction.atomic
def skip_run(*, run: TrainingRun, why: str) -> None:
    """End a run that had nothing to do.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    _must(_mine(run).update(state=State.DONE, progress=1.0, phase="", why=why, finished_at=timezone.now()))


@transaction.atomic
def fail_run(*, run: TrainingRun, why: str, log: str = "", resources: Mapping[str, float] | None = None) -> None:
    """End a run as failed, unless it has ended or belongs to another worker."""
    told = {"log": log, "resources": dict(resources or {})} if log else {}
    _mine(run).update(state=State.FAILED, why=why, finished_at=timezone.now(), **told)


@transaction.atomic
def give_back(*, run: TrainingRun, why: str) -> None:
    """Queue a run again whose process was killed; fail it where that happened often enough."""
    if run.attempts >= MAX_KILLED:
        _mine(run).update(state=State.FAILED, why=why, finished_at=timezone.now())
    else:
        _mine(run).update(state=State.QUEUED, why=why, owner=None, lease_until=None)


@transaction.atomic
def cancel_run(*, run: TrainingRun) -> None:
    """End a run that has not ended; the worker notices at its next heartbeat."""
    unfinished = TrainingRun.objects.filter(pk=run.pk, state__in=[State.QUEUED, State.RUNNING])
    unfinished.update(state=State.CANCELLED, why=_("cancelled by staff"), finished_at=timezone.now())


def _mine(run: TrainingRun) -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=State.RUNNING)


def _must(updated: int) -> None:
    if not updated:
        raise RunCancelledError


def _lease_end() -> dt.datetime:
    return _now() + dt.timedelta(seconds=reco_settings().LEASE)


def _alone_in_claiming() -> None:
    """Have whoever claims wait for whoever does, until the transaction ends. SQLite has one writer anyway.

    Locks of rows are not enough in PostgreSQL: who waited for a row that another one has just claimed gets it as it is
    now, and would take its worker for dead.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIM])


def _now() -> dt.datetime:
    """By the clock of the database, since workers on two machines have two clocks; SQLite is on one machine."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: dt.datetime = cursor.fetchone()[0]
        return told
