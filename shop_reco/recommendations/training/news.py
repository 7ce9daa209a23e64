"""Whether there is anything to learn that a version does not know."""

from __future__ import annotations

import datetime as dt

from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from shop_reco.events.models import Event, ShopperFlag
from shop_reco.products.selectors import catalogue_revision
from shop_reco.users.models import Consent, ShopperLink

from ..models import Feedback, TrainingRun
from ..selectors import began, erasures, live_version

SCHEDULED = "beat:"
"""How the ticket of a run begins that a schedule asked for."""
OF_THE_CATALOGUE = ("content",)
"""Kinds whose updates wait for the catalogue; what shoppers do counts for them in a fit from scratch."""


def nothing_new(run: TrainingRun) -> str:
    """Why a run that a schedule asked for need not be; empty where it must. Eight queries at most."""
    version = live_version(kind=run.recommender_id)
    if version is None or not run.ticket.startswith(SCHEDULED):
        return ""
    since = began(version)
    moved = version.figures.get("catalogue_revision") != catalogue_revision()
    if run.work == TrainingRun.Work.UPDATE and run.recommender_id in OF_THE_CATALOGUE:
        news = moved
    else:
        news = moved or _shoppers_did(since)
    return "" if news else _("Nothing new since %(when)s") % {"when": localize(localtime(since))}


def _shoppers_did(since: dt.datetime) -> bool:
    """Whether anything was done, allowed, found out or said since a moment; each query ends at its first row."""
    return (
        Event.objects.filter(received_at__gte=since).exists()
        or Consent.objects.filter(decided_at__gte=since, purpose=Consent.Purpose.TRAINING).exists()
        or ShopperLink.objects.filter(linked_at__gte=since).exists()
        or ShopperFlag.objects.filter(raised_at__gte=since).exists()
        or ShopperFlag.objects.filter(cleared_at__gte=since).exists()
        or Feedback.objects.filter(reviewed_at__gte=since).exists()
        or any(at >= since for at in erasures())
    )
