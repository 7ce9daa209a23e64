"""Whether there is anything to learn that a version does not know."""

from __future__ import annotations

from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from shop_reco.events.models import Event, ShopperFlag
from shop_reco.products.selectors import catalogue_revision
from shop_reco.users.models import Consent, ShopperLink

from ..models import Feedback, ModelVersion
from ..selectors import began, erasures


def nothing_new(version: ModelVersion) -> str:
    """Why there is nothing to train for; empty where there is. Six queries at most, each ends at the first row."""
    since = began(version)
    if (
        version.figures.get("catalogue_revision") != catalogue_revision()
        or Event.objects.filter(received_at__gte=since).exists()
        or Consent.objects.filter(decided_at__gte=since, purpose=Consent.Purpose.TRAINING).exists()
        or ShopperLink.objects.filter(linked_at__gte=since).exists()
        or ShopperFlag.objects.filter(raised_at__gte=since).exists()
        or ShopperFlag.objects.filter(cleared_at__gte=since).exists()
        or Feedback.objects.filter(reviewed_at__gte=since).exists()
        or any(at >= since for at in erasures())
    ):
        return ""
    return _("Nothing new since %(when)s.") % {"when": localize(localtime(since))}
