"""Keeping the lists that were served."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from shop_reco.conf import reco_settings

from ..models import (
    Slate,
)


@transaction.atomic
def keep_slates(*, slates: Iterable[Slate]) -> None:
    """Write served lists; one that is there already is passed over."""
    Slate.objects.bulk_create(slates, ignore_conflicts=True)


@transaction.atomic
def trim_slates() -> int:
    """Delete the lists that are older than SLATE_DAYS."""
    oldest = timezone.now() - dt.timedelta(days=reco_settings().SLATE_DAYS)
    return Slate.objects.filter(served_at__lt=oldest).delete()[0]
