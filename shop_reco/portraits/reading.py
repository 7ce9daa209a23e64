"""A stored portrait as of now, with what the shopper did to it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from shop_reco.products.selectors import sensitive_names
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import allows

from .engine import portrait_read
from .models import Portrait
from .selectors import InterestView, PortraitView, edits_of, portrait_row


def portrait_of(*, shopper: Shopper, now: dt.datetime | None = None) -> PortraitView | None:
    """The shopper's portrait; None before it was drawn, and where the shopper allows none. Four queries."""
    row = portrait_row(shopper=shopper)
    if row is None or not allows(shopper=shopper, purpose=Consent.Purpose.PERSONALISATION):
        return None
    now = now or timezone.now()
    portrait, edits = portrait_read(row.counts), edits_of(shopper=shopper)
    interests = [
        InterestView(each.kind, each.key, each.weight, edits.pop((each.kind, each.key), ""))
        for each in portrait.interest(now.timestamp())
    ]
    interests += [InterestView(kind, key, 0.0, action) for (kind, key), action in edits.items()]
    unsaid = sensitive_names()  # a category may have become sensitive after the portrait was drawn
    interests = [each for each in interests if each.kind != "category" or each.key not in unsaid]
    return PortraitView(
        shopper=shopper,
        segment=Portrait.Segment(portrait.segment(now.timestamp())),
        drawn_at=row.drawn_at,
        last_seen=dt.datetime.fromtimestamp(portrait.last_seen, dt.UTC) if portrait.last_seen else None,
        orders=len(portrait.orders),
        spent=Decimal(portrait.spent) / 100,
        active_hours=sorted(int(hour) for hour, _ in portrait.hours.most_common(3)),
        channels=sorted(portrait.channels),
        interests=interests,
    )
