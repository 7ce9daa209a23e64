"""Groups of shoppers who buy alike: found each night, and told in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop_reco.conf import reco_settings
from shop_reco.products.selectors import sensitive_paths

from .engine import People, found_groups, silence_of, typical_of
from .models import Segmentation
from .selectors import accounts_of_visitors, product_paths, summaries, took_to

logger = structlog.get_logger(__name__)
LATELY = dt.timedelta(days=90)
"""How far back the events lie by which a group's typical products are found."""
KEPT = 30
"""Segmentations that are kept for staff to look back at."""


def fit_segments() -> Segmentation | None:
    """Find groups among all who allow analytics, and use them from now on.

    Analytics, since a group is a statistic about many, told to others: personalisation alone lets a shopper's
    events serve that shopper. With fewer than SEGMENT_SHOPPERS of two orders or more, or where no groups of
    MIN_SUPPORT shoppers can be told apart, there are none: segments go by fixed rules.
    """
    reco, now, least = reco_settings(), timezone.now(), reco_settings().MIN_SUPPORT
    n_shoppers, content, people = found_groups(
        summaries(), today=now.date(), least=reco.SEGMENT_SHOPPERS, min_size=least
    )
    if content is not None:
        content |= {"typical": _typical(people, since=now - LATELY), "days": LATELY.days}
    with transaction.atomic():
        Segmentation.objects.filter(live=True).update(live=False)
        if content is None:
            logger.info("no_segments", shoppers=n_shoppers)
            return None
        made = Segmentation.objects.create(n_shoppers=n_shoppers, content=content)
        old = Segmentation.objects.filter(live=False).order_by("-pk").values_list("pk", flat=True)
        Segmentation.objects.filter(pk__in=list(old[KEPT:])).delete()
    return made


def _typical(people: People, *, since: dt.datetime) -> list[dict[str, Any]]:
    """What tells each group from the rest of the shop; four queries, one of them over the events since then."""
    reco = reco_settings()
    return typical_of(
        took_to(since=since, types=[name for name, weight in reco.EVENT_WEIGHTS.items() if weight > 0]),
        product_paths(),
        people=people,
        accounts=accounts_of_visitors(),
        silence=silence_of(sensitive_paths()),
        least=reco.MIN_SUPPORT,
    )


def named(parts: Sequence[str]) -> str:
    """A group's name in the language of the request."""
    return capfirst(_(", ").join(str(Segmentation.Part(part).label) for part in parts))
