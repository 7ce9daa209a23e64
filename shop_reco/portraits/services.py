"""What can happen to portraits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from django.db import transaction
from django.utils import timezone

from shop_reco.events.models import DirtyShopper
from shop_reco.events.selectors import dirty_shoppers, events_of
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import allows, linked_ids

from .engine import portrait_drawn
from .models import Portrait, PortraitEdit

logger = structlog.get_logger(__name__)
MOST_EDITS, MOST_KEPT = 200, 1000
Keys = Sequence[tuple[str, str]]


@transaction.atomic
def refresh_portrait(*, shopper_id: int) -> int:
    """Draw the portrait of a shopper anew if they allow one; returns from how many events."""
    shopper = Shopper.objects.get(pk=shopper_id)
    if not allows(shopper=shopper, purpose=Consent.Purpose.PERSONALISATION):
        Portrait.objects.filter(shopper=shopper).delete()
        return 0
    events = events_of(shopper_ids=linked_ids(shopper=shopper))
    Portrait.objects.update_or_create(
        shopper=shopper,
        defaults={"counts": portrait_drawn(events), "n_events": len(events), "drawn_at": timezone.now()},
    )
    return len(events)


def refresh_dirty(*, limit: int = 10_000, progress: Callable[[int, int], None] | None = None) -> int:
    """Redraw the portraits of shoppers with news; a mark made meanwhile stays for the next time."""
    dirty = dirty_shoppers(limit=limit)
    for done, (shopper_id, marks) in enumerate(dirty, start=1):
        try:
            refresh_portrait(shopper_id=shopper_id)
        except Exception:  # one shopper's rows must not keep everybody else's portraits from being drawn
            logger.exception("portrait_failed", shopper=shopper_id)
            continue
        DirtyShopper.objects.filter(shopper_id=shopper_id, marks=marks).delete()
        if progress is not None:
            progress(done, len(dirty))
    return len(dirty)


@transaction.atomic
def edit_interests(*, shopper: Shopper, pin: Keys = (), block: Keys = (), clear: Keys = ()) -> None:
    """Pin, block or let go of interests; the last word on a key counts.

    Raises:
        ValueError: If a kind is unknown, a key empty or too long, or there are too many.
    """
    if len(pin) + len(block) + len(clear) > MOST_EDITS:
        raise ValueError(f"at most {MOST_EDITS} interests can be edited at once")
    for kind, key in (*pin, *block, *clear):
        if kind not in PortraitEdit.Kind.values or not 1 <= len(key) <= 512 or "\x00" in key:
            raise ValueError(f"an interest needs a kind ({', '.join(PortraitEdit.Kind.values)}) and a key of 1 to 512")
    for kind, key in clear:
        PortraitEdit.objects.filter(shopper=shopper, kind=kind, key=key).delete()
    for action, keys in ((PortraitEdit.Action.PIN, pin), (PortraitEdit.Action.BLOCK, block)):
        PortraitEdit.objects.bulk_create(
            [PortraitEdit(shopper=shopper, kind=kind, key=key, action=action) for kind, key in dict.fromkeys(keys)],
            update_conflicts=True,
            unique_fields=["shopper", "kind", "key"],
            update_fields=["action"],
        )
    if PortraitEdit.objects.filter(shopper=shopper).count() > MOST_KEPT:
        raise ValueError(f"a portrait keeps {MOST_KEPT} edits at most; clear some first")
