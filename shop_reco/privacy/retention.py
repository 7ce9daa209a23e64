"""What is kept for a time only; each age is a setting, and what was counted or drawn from the rows stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.models import Event, RejectedEvent
from shop_reco.recommendations.models import Feedback, Slate
from shop_reco.recommendations.services import drop_masks
from shop_reco.staff.attempts import forget_failures
from shop_reco.staff.selectors import actions_before
from shop_reco.users.allowances import forget_allowances
from shop_reco.users.models import Consent, Shopper

from .exports import trim_exports
from .selectors import erased

CHUNK = 1000
"""Rows deleted in one transaction: nobody waits longer than for so many."""


def trim(*, now: dt.datetime | None = None) -> dict[str, int]:
    """Delete what is older than its setting allows; returns how many rows, by what they were.

    Events and lists served are trimmed by the apps that they belong to. The files that an import read, and those
    of its rejected rows, are whoever's who imported them: nothing here deletes them.
    """
    now, reco = now or timezone.now(), reco_settings()
    return {
        "rejected events": _delete(
            RejectedEvent.objects.filter(received_at__lt=now - dt.timedelta(days=reco.REJECTED_DAYS))
        ),
        "exports": trim_exports(now=now),
        "visitors": _delete(_forgotten(now - dt.timedelta(days=reco.ANONYMOUS_DAYS))),
        "names that came back": _delete_empty_returns(now - dt.timedelta(days=1)),
        "masks": drop_masks(),
        "allowances": forget_allowances(older=dt.timedelta(hours=1)),
        "failed sign-ins": forget_failures(now=now),
        "actions of staff": _delete(actions_before(now - dt.timedelta(days=reco.STAFF_RECORD_DAYS))),
    }


def _delete(rows: QuerySet[Any]) -> int:
    """Delete chunk by chunk, the oldest first; counts the rows themselves, not what hung on them."""
    done = 0
    while True:
        with transaction.atomic():
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
            # asked again by what they are: one that is wanted again since it was found stays
            done += rows.filter(pk__in=keys).delete()[1].get(rows.model._meta.label, 0)
        if len(keys) < CHUNK:
            return done


def _empty(rows: QuerySet[Shopper]) -> QuerySet[Shopper]:
    """Those of whom nothing is known: no event, no consent in force, nothing said, no list."""
    consents = Consent.objects.filter(granted=True, superseded_at__isnull=True)
    tables: tuple[QuerySet[Any], ...] = (
        consents, Event.objects.all(), Feedback.objects.all(), Slate.objects.all(),
    )  # fmt: skip
    for table in tables:
        rows = rows.filter(~Exists(table.filter(shopper=OuterRef("pk"))))
    return rows


def _forgotten(before: dt.datetime) -> QuerySet[Shopper]:
    """Anonymous visitors made before a moment of whom nothing is known."""
    nobody = Shopper.objects.filter(external_id__isnull=True, user__isnull=True, created_at__lt=before)
    linked = Q(links_as_visitor__undone_at__isnull=True, links_as_visitor__isnull=False)
    return _empty(nobody.exclude(linked))


def _delete_empty_returns(before: dt.datetime) -> int:
    """Delete erased shoppers whom a server named again without a consent or an event that followed."""
    done, last = 0, 0
    named = _empty(Shopper.objects.filter(external_id__isnull=False, user__isnull=True, created_at__lt=before))
    while chunk := list(named.filter(pk__gt=last).order_by("pk").values_list("pk", "external_id")[:CHUNK]):
        last = chunk[-1][0]
        known = erased(external_ids=[str(name) for _, name in chunk])
        done += _delete(named.filter(pk__in=[pk for pk, name in chunk if name in known]))
    return done
