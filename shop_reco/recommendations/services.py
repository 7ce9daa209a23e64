"""What can happen to recommenders, training runs, versions and feedback."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.selectors import owners_among
from shop_reco.products.models import Product
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from .engine import stores_users
from .errors import NothingToRollBackError, RunCancelledError
from .models import (
    CleaningExample,
    ErasedRow,
    Feedback,
    ModelVersion,
    Placement,
    Recommender,
    ServingState,
    Slate,
    TrainingRun,
)
from .selectors import earlier_versions

KINDS = tuple(Recommender.Kind.values)
PLACEMENTS = {
    "home": ("Picked for you", Placement.Strategy.PERSONAL),
    "similar": ("Similar products", Placement.Strategy.SIMILAR),
    "together": ("Bought together", Placement.Strategy.BOUGHT_TOGETHER),
    "again": ("Buy again", Placement.Strategy.BUY_AGAIN),
    "popular": ("Popular now", Placement.Strategy.POPULAR),
}
MAX_ATTEMPTS = 3
OF_PRODUCTS = "impossible_product_prices"
"""The rule of cleaning whose examples are products by their skus, and nobody's events."""


@transaction.atomic
def ensure_recommenders() -> None:
    """Have a row for each recommender and placement; called after each migration."""
    Recommender.objects.bulk_create([Recommender(kind=kind) for kind in KINDS], ignore_conflicts=True)
    Placement.objects.bulk_create(
        [Placement(key=key, title=title, strategy=strategy) for key, (title, strategy) in PLACEMENTS.items()],
        ignore_conflicts=True,
    )
    ServingState.objects.get_or_create(pk=1)


@transaction.atomic
def bump_serving_revision() -> None:
    """Tell every process that what it keeps in memory is out of date."""
    ServingState.objects.get_or_create(pk=1)
    ServingState.objects.filter(pk=1).update(revision=F("revision") + 1)


@transaction.atomic
def set_enabled(*, kind: str, enabled: bool) -> None:
    """Switch a recommender; effective in every process at its next request."""
    Recommender.objects.filter(kind=kind).update(enabled=enabled, changed_at=timezone.now())
    bump_serving_revision()


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
def keep_cleaning_report(*, run: TrainingRun, report: Mapping[str, Any]) -> None:
    """Keep with a run what its events were cleaned of, whatever becomes of the run later.

    An event that was erased or folded since it was read is no example any more: nobody could be told whose it was.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    rules = list(report.get("rules", ()))
    ids = {name for rule in rules if rule["name"] != OF_PRODUCTS for name in rule["examples"]}
    # Their shoppers are locked, so that none of them is erased before the report says whose its examples are.
    owners = owners_among(ids=ids)
    list(Shopper.objects.select_for_update(no_key=True).filter(pk__in=set(owners.values())).order_by("pk"))
    owners = owners_among(ids=[str(pk) for pk in owners])
    gone = ids - {str(pk) for pk in owners}
    told = {**report, "rules": _without(rules, gone)} if rules else dict(report)
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    if not mine.update(cleaning=told):
        raise RunCancelledError
    CleaningExample.objects.filter(run=run).delete()  # of an attempt before this one
    CleaningExample.objects.bulk_create(
        CleaningExample(run=run, event=event, shopper_id=owner) for event, owner in owners.items()
    )


@transaction.atomic
def forget_examples(*, shopper_ids: Collection[int]) -> int:
    """Take the ids of these shoppers' events out of the reports of cleaning; returns how many runs named one.

    Reads those runs alone; the rows that led to them are the caller's to delete.
    """
    mine = CleaningExample.objects.filter(shopper__in=shopper_ids)
    named: dict[int, set[str]] = {}
    for run_id, event in mine.values_list("run", "event"):
        named.setdefault(run_id, set()).add(str(event))
    runs = TrainingRun.objects.select_for_update().filter(pk__in=mine.values("run")).only("cleaning").order_by("pk")
    for run in runs.iterator(chunk_size=200):
        run.cleaning["rules"] = _without(run.cleaning["rules"], named[run.pk])
        run.save(update_fields=["cleaning"])
    return len(named)


def _without(rules: Iterable[Mapping[str, Any]], gone: Collection[str]) -> list[dict[str, Any]]:
    """Rules of a report without some events among their examples."""
    return [{**rule, "examples": [name for name in rule["examples"] if name not in gone]} for rule in rules]


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
def fail_run(*, run: TrainingRun, why: str) -> None:
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    mine.update(state=TrainingRun.State.FAILED, why=why, finished_at=timezone.now())


@transaction.atomic
def cancel_run(*, run: TrainingRun) -> None:
    """End a run that has not ended; the worker notices at its next heartbeat."""
    unfinished = TrainingRun.objects.filter(pk=run.pk, state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING])
    unfinished.update(state=TrainingRun.State.CANCELLED, why="cancelled by staff", finished_at=timezone.now())


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
def give_feedback(*, shopper: Shopper, product: Product, kind: str, slate_id: uuid.UUID | None = None) -> Feedback:
    """Keep what a shopper said; saying it twice keeps one. A like takes an earlier no back, and the other way round.

    Earlier is also what they said as a visitor who signed in since.
    """
    opposite = {
        Feedback.Kind.LIKE: [Feedback.Kind.NOT_INTERESTED, Feedback.Kind.DISLIKE],
        Feedback.Kind.NOT_INTERESTED: [Feedback.Kind.LIKE],
        Feedback.Kind.DISLIKE: [Feedback.Kind.LIKE],
    }.get(Feedback.Kind(kind), [])
    mine = linked_ids(shopper=shopper)
    Feedback.objects.filter(shopper__in=mine, product=product, kind__in=opposite).delete()
    feedback, _ = Feedback.objects.get_or_create(
        shopper=shopper, product=product, kind=kind, defaults={"slate_id": slate_id}
    )
    return feedback


@transaction.atomic
def review_feedback(*, feedback: Iterable[Feedback], verdict: str, by: Any) -> int:
    """Record what staff think of some feedback; returns how many."""
    chosen = Feedback.objects.filter(pk__in=[each.pk for each in feedback])
    return chosen.update(review=Feedback.Review(verdict), reviewed_by=by, reviewed_at=timezone.now())


@transaction.atomic
def keep_slates(*, slates: Iterable[Slate]) -> None:
    """Write served lists; one that is there already is passed over."""
    Slate.objects.bulk_create(slates, ignore_conflicts=True)


@transaction.atomic
def trim_slates() -> int:
    """Delete the lists that are older than SLATE_DAYS."""
    oldest = timezone.now() - dt.timedelta(days=reco_settings().SLATE_DAYS)
    return Slate.objects.filter(served_at__lt=oldest).delete()[0]


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
