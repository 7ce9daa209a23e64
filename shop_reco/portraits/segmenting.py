"""Groups of shoppers who buy alike: found each night, and told in words."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop_reco.conf import reco_settings

from .engine import found_groups
from .models import Segmentation
from .selectors import summaries

logger = structlog.get_logger(__name__)
KEPT = 30
"""Segmentations that are kept for staff to look back at."""


def fit_segments() -> Segmentation | None:
    """Find groups among all who allow analytics, and use them from now on.

    Analytics, since a group is a statistic about many, told to others: personalisation alone lets a shopper's
    events serve that shopper. With fewer than SEGMENT_SHOPPERS of two orders or more, or where no groups of
    MIN_SUPPORT shoppers can be told apart, there are none: segments go by fixed rules.
    """
    reco, today = reco_settings(), timezone.now().date()
    n_shoppers, content = found_groups(summaries(), today=today, least=reco.SEGMENT_SHOPPERS, min_size=reco.MIN_SUPPORT)
    with transaction.atomic():
        Segmentation.objects.filter(live=True).update(live=False)
        if content is None:
            logger.info("no_segments", shoppers=n_shoppers)
            return None
        made = Segmentation.objects.create(n_shoppers=n_shoppers, content=content)
        old = Segmentation.objects.filter(live=False).order_by("-pk").values_list("pk", flat=True)
        Segmentation.objects.filter(pk__in=list(old[KEPT:])).delete()
    return made


def named(parts: Sequence[str]) -> str:
    """A group's name in the language of the request."""
    return capfirst(_(", ").join(str(Segmentation.Part(part).label) for part in parts))
