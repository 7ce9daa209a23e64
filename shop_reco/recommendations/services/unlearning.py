"""What an erasure asks of the models: rows masked at once, versions that learnt from the shopper gone soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from ..models import ErasedRow, TrainingRun
from ..selectors import began, kept_versions, kinds_that_know_erased
from .runs import request_training
from .switching import bump_serving_revision


@transaction.atomic
def mask_users(*, shopper_ids: Collection[int], at: dt.datetime, learnt: bool = True) -> None:
    """Have the stored rows of erased shoppers count nothing, in every process from its next request on.

    Args:
        learnt: Whether some version may have learnt from them; if so, its kind is fitted anew without them.
    """
    rows = [ErasedRow(pk=pk, erased_at=at, learnt=learnt) for pk in sorted(shopper_ids)]
    ErasedRow.objects.bulk_create(rows, ignore_conflicts=True)
    bump_serving_revision()


def request_unlearning() -> list[TrainingRun]:
    """Queue a fit without the erased of each kind whose live version may have learnt from one."""
    return [request_training(kind=kind, work=TrainingRun.Work.ERASURE) for kind in kinds_that_know_erased()]


@transaction.atomic
def drop_masks() -> int:
    """Forget the numbers of erased shoppers that no version and no training under way can hold any more."""
    running = TrainingRun.objects.filter(state=TrainingRun.State.RUNNING, started_at__isnull=False)
    started = [*(began(version) for version in kept_versions()), *running.values_list("started_at", flat=True)]
    oldest = min((each for each in started if each is not None), default=timezone.now())
    return ErasedRow.objects.filter(erased_at__lt=oldest).delete()[0]
