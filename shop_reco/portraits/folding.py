"""Events that have been kept long enough become sums of their days, and are deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.products.selectors import sensitive_paths
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import allowing

from .engine import folded_days, silence_of
from .models import FoldedDay
from .selectors import EventRow, accounts_joined, rows_of
from .services import locked

logger = structlog.get_logger(__name__)
EVENTS, SHOPPERS = 2000, 1000
"""Events that one transaction folds, and shoppers that are looked up at a time."""

DELETED = 500
MARGIN = dt.timedelta(hours=1)
"""How much longer an event is kept than the door takes it in again: longer than anything takes to be stored."""


def fold_events(*, now: dt.datetime | None = None) -> int:
    """Fold and delete what is older than it is kept; returns how many events.

    Searches go after SEARCH_DAYS, events of visitors whom no account is known of after ANONYMOUS_DAYS, all
    others after RETENTION_DAYS. Killed at any moment, nothing is lost and nothing counts twice: a transaction
    adds some events to their days and deletes these events. A shopper who allows no portrait has no use for
    sums; their events are deleted alone.
    """
    now, n_events = now or timezone.now(), 0
    for shopper_id in _with_old_events(now):
        while folded := _fold_some(shopper_id, now):
            n_events += folded
    if n_events:
        logger.info("events_folded", events=n_events)
    return n_events


def too_old(now: dt.datetime) -> Q:
    """Which events have been kept long enough."""
    reco = reco_settings()

    def before(days: int) -> Q:
        return Q(occurred_at__lt=now - dt.timedelta(days=days) - MARGIN)

    joined = ShopperLink.objects.filter(visitor=OuterRef("shopper"), undone_at__isnull=True)
    stranger = Q(shopper__external_id__isnull=True, shopper__user__isnull=True) & ~Exists(joined)
    return (
        before(reco.RETENTION_DAYS)
        | Q(type=Event.Type.SEARCH) & before(reco.SEARCH_DAYS)
        | stranger & before(reco.ANONYMOUS_DAYS)
    )


def _with_old_events(now: dt.datetime) -> Iterator[int]:
    """Shoppers who have some, in the order of their keys; one query for each thousand."""
    last = 0
    old = Event.objects.filter(too_old(now)).order_by("shopper_id").values_list("shopper_id", flat=True).distinct()
    while chunk := list(old.filter(shopper_id__gt=last)[:SHOPPERS]):
        yield from chunk
        last = chunk[-1]


@transaction.atomic
def _fold_some(shopper_id: int, now: dt.datetime) -> int:
    shopper = locked([shopper_id]).get(shopper_id)
    if shopper is None:
        return 0
    old = Event.objects.filter(too_old(now), shopper=shopper).order_by("occurred_at", "id")
    rows = [EventRow._make(row) for row in rows_of(old)[:EVENTS]]
    if rows and _has_portrait(shopper):
        _keep_sums(shopper, rows)
    for start in range(0, len(rows), DELETED):
        Event.objects.filter(pk__in=[row.id for row in rows[start : start + DELETED]]).delete()
    return len(rows)


def _has_portrait(shopper: Shopper) -> bool:
    """Whether they allow one, or the account that they turned out to be does."""
    people = {shopper.pk, *accounts_joined(visitor_ids=[shopper.pk])}
    return bool(allowing(purpose=Consent.Purpose.PERSONALISATION, among=people))


def _keep_sums(shopper: Shopper, rows: list[EventRow]) -> None:
    days = dict.fromkeys(map(_day_of, rows), 0)
    for row in rows:
        days[_day_of(row)] += 1
    earlier = {each.day: each for each in FoldedDay.objects.filter(shopper=shopper, day__in=days)}
    sums = folded_days(
        rows,
        earlier={day: each.counts for day, each in earlier.items()},
        silence=silence_of(sensitive_paths()),
    )
    FoldedDay.objects.bulk_create(
        [
            FoldedDay(
                shopper=shopper,
                day=day,
                counts=counts,
                n_events=days[day] + (earlier[day].n_events if day in earlier else 0),
            )
            for day, counts in sums.items()
        ],
        update_conflicts=True,
        unique_fields=["shopper", "day"],
        update_fields=["counts", "n_events"],
    )


def _day_of(row: EventRow) -> dt.date:
    return dt.datetime.fromtimestamp(int(row.second + 0.001), dt.UTC).date()
