"""What can happen to a model version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from ..errors import NothingToRollBackError, ReasonMissingError, RunCancelledError, VersionGoneError
from ..models import ModelVersion, Promotion, TrainingRun
from ..selectors import earlier_versions
from .runs import request_training
from .switching import bump_serving_revision

State, By = ModelVersion.State, Promotion.By


@transaction.atomic
def promote(*, run: TrainingRun, version: ModelVersion, decided_by: str = By.CHECKS, why: str = "") -> None:
    """Make a candidate the serving one, in one step for all processes, and end its run.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    _end(run, why)
    _make_live(version, decided_by=decided_by, why=why)


@transaction.atomic
def refuse(*, run: TrainingRun, version: ModelVersion, why: str, waits: bool = False) -> None:
    """Keep a candidate that does not go live, and end its run; what is live learns the new events under its own recipe.

    Args:
        waits: For staff to decide, since the gate could not tell.
    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    _end(run, why)
    ModelVersion.objects.filter(pk=version.pk).update(state=State.CANDIDATE if waits else State.REJECTED)
    Promotion.objects.create(version=version, went_live=False, decided_by=By.GATE, why=why, decided_at=timezone.now())
    request_training(kind=version.recommender_id, work=TrainingRun.Work.UPDATE)


def _end(run: TrainingRun, why: str) -> None:
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    told = {"progress": 1.0, "phase": "", "why": why, "finished_at": timezone.now()}
    if not mine.update(state=TrainingRun.State.DONE, **told):
        raise RunCancelledError


@transaction.atomic
def promote_by_staff(*, version: ModelVersion, by: Any, why: str) -> None:
    """Make any version serve whose artifact is there, whatever the gate said of it.

    Raises:
        ReasonMissingError: If ``why`` says nothing.
        VersionGoneError: If its artifact was deleted.
    """
    if not why.strip():
        raise ReasonMissingError("say why this version should serve; the reason is kept with it")
    version = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if version.pruned_at is not None:
        raise VersionGoneError(f"{version} was deleted; train its recipe anew")
    if version.state != State.LIVE:
        _make_live(version, decided_by=By.STAFF, why=why.strip(), person=by)


@transaction.atomic
def roll_back(*, kind: str, by: Any = None, why: str = "") -> ModelVersion:
    """Make the version before the live one serve again; ``why`` is kept with it.

    Raises:
        NothingToRollBackError: If there is none.
    """
    earlier = earlier_versions(kind=kind)
    if not earlier:
        raise NothingToRollBackError(f"{kind} has no earlier version")
    _make_live(earlier[0], decided_by=By.ROLL_BACK, why=why.strip(), person=by)
    earlier[0].refresh_from_db()
    return earlier[0]


def _make_live(version: ModelVersion, *, decided_by: str, why: str = "", person: Any = None) -> None:
    now = timezone.now()
    live = ModelVersion.objects.select_for_update().filter(recommender=version.recommender_id, state=State.LIVE)
    replaced = live.first()
    live.update(state=State.RETIRED)
    ModelVersion.objects.filter(pk=version.pk).update(state=State.LIVE, promoted_at=now)
    Promotion.objects.create(
        version=version, replaced=replaced, went_live=True, decided_by=decided_by, person=person, why=why,
        decided_at=now,
    )  # fmt: skip
    bump_serving_revision()


@transaction.atomic
def mark_pruned(*, versions: list[ModelVersion], at: dt.datetime) -> list[ModelVersion]:
    """Have versions never serve again, before their artifacts are deleted; returns those that were not live by then."""
    chosen = ModelVersion.objects.select_for_update().filter(pk__in=[each.pk for each in versions])
    gone = list(chosen.filter(pruned_at__isnull=True).exclude(state=State.LIVE))
    ModelVersion.objects.filter(pk__in=[each.pk for each in gone]).update(pruned_at=at)
    return gone
