"""Which recommenders and placements there are, and what tells every process of a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from ..models import (
    Placement,
    Recommender,
    ServingState,
)

KINDS = tuple(Recommender.Kind.values)
PLACEMENTS = {
    "home": (_("Picked for you"), Placement.Strategy.PERSONAL),
    "similar": (_("Similar products"), Placement.Strategy.SIMILAR),
    "together": (_("Bought together"), Placement.Strategy.BOUGHT_TOGETHER),
    "again": (_("Buy again"), Placement.Strategy.BUY_AGAIN),
    "popular": (_("Popular now"), Placement.Strategy.POPULAR),
    "trending": (_("Rising now"), Placement.Strategy.TRENDING),
    "search": (_("Search and categories"), Placement.Strategy.PERSONAL),
}


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
def set_placement(*, key: str, changes: Mapping[str, Any]) -> Placement:
    """Make or change a placement; effective in every process at its next request.

    Raises:
        ValidationError: If a value makes no sense; nothing is changed.
    """
    placement = Placement.objects.select_for_update().filter(pk=key).first() or Placement(key=key)
    for name, value in changes.items():
        setattr(placement, name, value)
    placement.full_clean(validate_unique=False)
    placement.save()
    return placement
