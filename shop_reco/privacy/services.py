"""Export and erase: one transaction over everything that is known of a shopper."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop_reco.events.models import DirtyShopper, Event, RejectedEvent
from shop_reco.portraits.models import Portrait, PortraitEdit
from shop_reco.recommendations.models import Feedback, ModelVersion, Slate
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import digest_of, linked_ids

from .models import ErasedKey, ErasureReceipt

PERSONAL = (Event, RejectedEvent, DirtyShopper, Portrait, PortraitEdit, Feedback, Slate, Consent)
"""Every table with a column for the shopper, but for the shopper and its links."""


def export_shopper(*, shopper: Shopper) -> dict[str, Any]:
    """All that is stored of a shopper and of the visitors found to be them, ready for JSON."""
    ids = linked_ids(shopper=shopper)
    tables = {
        model._meta.model_name: list(model._default_manager.filter(shopper__in=ids).values()) for model in PERSONAL
    }
    people = Shopper.objects.filter(pk__in=ids)
    return {
        "profile": list(people.values("public_id", "external_id", "age_band", "gender", "region", "member_since")),
        "links": list(ShopperLink.objects.filter(account__in=ids).values("linked_at", "undone_at")),
        **{str(name): [_without_keys(dict(row)) for row in rows] for name, rows in tables.items()},
    }


def _without_keys(row: dict[str, Any]) -> dict[str, Any]:
    hidden = {"digest", "shopper_id", "reviewed_by_id"}
    return {name: value for name, value in row.items() if name not in hidden}


@transaction.atomic
def erase_shopper(*, shopper: Shopper) -> ErasureReceipt:
    """Delete all that is known of a shopper, and remember that it happened without remembering whose it was."""
    ids, now = linked_ids(shopper=shopper), timezone.now()
    counts = {
        str(model._meta.model_name): model._default_manager.filter(shopper__in=ids).delete()[0] for model in PERSONAL
    }
    if shopper.external_id:
        ErasedKey.objects.get_or_create(digest=digest_of(shopper.external_id), defaults={"erased_at": now})
    counts["shopper"] = len(ids)
    Shopper.objects.filter(pk__in=ids).delete()
    versions = sorted(
        version.hex
        for version in ModelVersion.objects.exclude(state=ModelVersion.State.REJECTED).values_list(
            "public_id", flat=True
        )
    )
    previous = ErasureReceipt.objects.select_for_update().order_by("-pk").first()
    before = previous.sha256 if previous else ""
    content = json.dumps([now.isoformat(), counts, versions, before], sort_keys=True)
    return ErasureReceipt.objects.create(
        erased_at=now,
        counts=counts,
        versions=versions,
        previous_sha256=before,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
    )
