"""What can happen to a model version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..engine import stores_users
from ..errors import NothingToRollBackError, RunCancelledError
from ..models import (
    ErasedRow,
    ModelVersion,
    TrainingRun,
)
from ..selectors import earlier_versions
from .switching import KINDS, bump_serving_revision


@transaction.atomic
def promote(*, run: TrainingRun, version: ModelVersion) -> None:
    """Make a candidate the serving one, in one step for all processes, and end its run.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    now = timezone.now()
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    if not mine.update(state=TrainingRun.State.DONE, progress=1.0, phase="", finished_at=now):
        raise RunCancelledError
    _make_live(version, now)


def _make_live(version: ModelVersion, now: dt.datetime) -> None:
    live = ModelVersion.objects.filter(recommender=version.recommender_id, state=ModelVersion.State.LIVE)
    live.update(state=ModelVersion.State.RETIRED)
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.LIVE, promoted_at=now)
    bump_serving_revision()


@transaction.atomic
def roll_back(*, kind: str) -> ModelVersion:
    """Make the version before the live one serve again.

    Raises:
        NothingToRollBackError: If there is none.
    """
    earlier = earlier_versions(kind=kind)
    if not earlier:
        raise NothingToRollBackError(f"{kind} has no earlier version")
    _make_live(earlier[0], timezone.now())
    earlier[0].refresh_from_db()
    return earlier[0]


@transaction.atomic
def mask_users(*, shopper_ids: Collection[int], at: dt.datetime) -> None:
    """Have the stored rows of erased shoppers count nothing, in every process from its next request on."""
    rows = [ErasedRow(pk=pk, erased_at=at) for pk in sorted(shopper_ids)]
    ErasedRow.objects.bulk_create(rows, ignore_conflicts=True)
    bump_serving_revision()


@transaction.atomic
def drop_masks() -> int:
    """Forget the numbers of erased shoppers that no version and no training under way can hold any more."""
    kinds = [kind for kind in KINDS if stores_users(kind)]
    versions = ModelVersion.objects.filter(recommender__in=kinds).exclude(state=ModelVersion.State.REJECTED)
    running = TrainingRun.objects.filter(recommender__in=kinds, state=TrainingRun.State.RUNNING)
    started = [
        *versions.annotate(since=Coalesce("run__started_at", "created_at")).values_list("since", flat=True),
        *running.filter(started_at__isnull=False).values_list("started_at", flat=True),
    ]
    return ErasedRow.objects.filter(erased_at__lt=min(started, default=timezone.now())).delete()[0]
