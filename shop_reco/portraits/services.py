"""What can happen to portraits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from shop_reco.events.drafts import storable
from shop_reco.events.models import DirtyShopper
from shop_reco.events.selectors import dirty_shoppers
from shop_reco.events.services import mark_shoppers
from shop_reco.products.selectors import sensitive_paths
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import allowing, visitors_of

from .engine import JOINT, portraits_drawn, silence_of
from .models import Portrait, PortraitEdit, SilenceChange
from .selectors import (
    accounts_joined,
    drawn_in_another_zone,
    event_rows,
    folded_counts,
    marks_of,
    next_shopper_ids,
    paths_named,
    sizes_of,
    touched_by,
    zone_of,
)

logger = structlog.get_logger(__name__)
MOST_EDITS, MOST_KEPT = 200, 1000
MARKED_AT_ONCE = 1000
"""Shoppers looked at in one transaction: an event of one of them waits for no more marks than these."""
DRAWN_AT_ONCE, EVENTS_AT_ONCE = 8, 500
"""Portraits, and events that they were last drawn from, of one transaction: on SQLite all other writers wait for it."""

Keys = Sequence[tuple[str, str]]


def locked(shopper_ids: Iterable[int]) -> dict[int, Shopper]:
    """Those of the shoppers who still exist, by primary key; until the transaction ends nobody else draws them,
    folds their events or erases them. What they do meanwhile is recorded all the same."""
    rows = Shopper.objects.select_for_update(no_key=True).filter(pk__in=set(shopper_ids)).order_by("pk")
    return {shopper.pk: shopper for shopper in rows}


def refresh_portrait(*, shopper_id: int) -> int:
    """Draw the portrait of a shopper anew if they allow one; returns from how many events."""
    return refresh_portraits(shopper_ids=[shopper_id]).get(shopper_id, 0)


@transaction.atomic
def refresh_portraits(*, shopper_ids: Collection[int]) -> dict[int, int]:
    """Draw the portraits of shoppers anew who allow one; returns from how many events each was drawn.

    A visitor's news are their account's news as well. The marks that are answered were read after the lock and
    before the events: one made later stands for events that may be missing here, and stays.
    """
    wanted = {*shopper_ids, *accounts_joined(visitor_ids=shopper_ids)}
    present = locked([*wanted, *chain.from_iterable(visitors_of(account_ids=wanted).values())])
    marks = marks_of(shopper_ids=shopper_ids)
    found = _draw([present[pk] for pk in sorted(wanted & present.keys())])
    _answer(marks)
    return found


def _draw(shoppers: Sequence[Shopper]) -> dict[int, int]:
    """As many queries for many as for one: consents, links, sensitive categories, folded days, events, two writes."""
    allowed = allowing(purpose=Consent.Purpose.PERSONALISATION, among=[each.pk for each in shoppers])
    Portrait.objects.filter(pk__in=[each.pk for each in shoppers if each.pk not in allowed]).delete()
    zones = {each.pk: zone_of(each) for each in shoppers if each.pk in allowed}
    counting: dict[int, set[int]] = {pk: {pk} for pk in zones}
    for account_id, visitors in visitors_of(account_ids=zones).items():
        for visitor_id in visitors:
            counting.setdefault(visitor_id, set()).add(account_id)
    drawn = portraits_drawn(
        event_rows(shopper_ids=counting),
        days=folded_counts(shopper_ids=counting),
        zones=zones,
        counting=counting,
        silence=silence_of(sensitive_paths()),
    )
    now = timezone.now()
    Portrait.objects.bulk_create(
        [
            Portrait(
                shopper_id=pk,
                counts=each.counts,
                summary=each.summary,
                time_zone=zones[pk],
                n_events=each.n_events,
                drawn_at=now,
            )
            for pk, each in drawn.items()
        ],
        update_conflicts=True,
        unique_fields=["shopper"],
        update_fields=["counts", "summary", "time_zone", "n_events", "drawn_at"],
    )
    return {pk: each.n_events for pk, each in drawn.items()}


def _answer(marks: Mapping[int, int]) -> None:
    """Whose row another transaction is at is marked anew by it: that one stays, and nobody waits for it here."""
    rows = DirtyShopper.objects.select_for_update(skip_locked=True).filter(pk__in=marks)
    same = [row.pk for row in rows if row.marks == marks[row.pk]]
    DirtyShopper.objects.filter(pk__in=same).delete()


def refresh_dirty(*, limit: int = 10_000, progress: Callable[[int, int], None] | None = None) -> int:
    """Redraw the portraits of shoppers with news; a mark made meanwhile stays for the next time."""
    try:
        mark_silenced()
    except DatabaseError:  # goes on from there the next time; those who are marked need not wait for it
        logger.exception("marking_failed")
    dirty, done = dirty_shoppers(limit=limit), 0
    for some in _batches(dirty):
        _refresh_each(some)
        done += len(some)
        if progress is not None:
            progress(done, len(dirty))
    return len(dirty)


def _batches(shopper_ids: Sequence[int]) -> Iterator[list[int]]:
    """Few enough, and with few enough events, that whoever waits for their transaction does not wait long."""
    for start in range(0, len(shopper_ids), MARKED_AT_ONCE):
        some = shopper_ids[start : start + MARKED_AT_ONCE]
        sizes = sizes_of(shopper_ids=some)
        batch, n_events = list[int](), 0
        for pk in some:
            size = sizes.get(pk, 0)
            if batch and (len(batch) == DRAWN_AT_ONCE or n_events + size > EVENTS_AT_ONCE):
                yield batch
                batch, n_events = [], 0
            batch.append(pk)
            n_events += size
        yield batch


def _refresh_each(shopper_ids: Sequence[int]) -> None:
    """One shopper's rows must not keep everybody else's portraits from being drawn."""
    try:
        refresh_portraits(shopper_ids=shopper_ids)
    except Exception as error:
        if len(shopper_ids) == 1:
            logger.exception("portrait_failed", shopper=shopper_ids[0])
            return
        logger.warning("portraits_drawn_one_by_one", shoppers=len(shopper_ids), error=type(error).__name__)
        for each in shopper_ids:
            _refresh_each([each])


@transaction.atomic
def mark_moved(*, limit: int = 10_000) -> int:
    """Have portraits drawn anew whose days and hours are no longer those of their shoppers' time zone."""
    moved = list(drawn_in_another_zone().order_by("pk").values_list("pk", flat=True)[:limit])
    mark_shoppers(shopper_ids=moved)
    return len(moved)


@transaction.atomic
def note_silence(*, category_ids: Sequence[int]) -> None:
    """Have the portraits drawn anew that knew these categories: of what happened there, more or less may be told.

    Whose they are is found after the commit: as many as there are, no event of theirs waits for it.
    """
    SilenceChange.objects.create(category_ids=list(category_ids))


def mark_silenced() -> int:
    """Mark whose portraits knew what was noted, a few at a time; returns how many marks were made.

    Each change is gone through once, from where an earlier call was cut short; one that another call is at is
    left to it.
    """
    marked = 0
    while (made := _mark_next()) is not None:
        marked += made
    return marked


@transaction.atomic
def _mark_next() -> int | None:
    """One short transaction of it; None where nothing is left."""
    change = SilenceChange.objects.select_for_update(skip_locked=True).order_by("pk").first()
    if change is None:
        return None
    people = next_shopper_ids(after=change.marked_up_to, limit=MARKED_AT_ONCE)
    if not people:
        change.delete()
        return 0
    touched = touched_by(category_ids=change.category_ids, first=people[0], last=people[-1])
    mark_shoppers(shopper_ids=touched)
    change.marked_up_to = people[-1]
    change.save(update_fields=["marked_up_to"])
    return len(touched)


@transaction.atomic
def edit_interests(*, shopper: Shopper, pin: Keys = (), block: Keys = (), hide: Keys = (), clear: Keys = ()) -> None:
    """Pin, block, hide or let go of interests; the last word on a key counts.

    A category goes by its path, or by its name, which stands for every category that is called so.

    Raises:
        ValueError: If a kind is unknown, a key empty, too long or not storable, or there are too many.
    """
    given = (*pin, *block, *hide, *clear)
    if len(given) > MOST_EDITS:
        raise ValueError(f"at most {MOST_EDITS} interests can be edited at once")
    for kind, key in given:
        if kind not in PortraitEdit.Kind.values or not 1 <= len(key) <= 512:
            raise ValueError(f"an interest needs a kind ({', '.join(PortraitEdit.Kind.values)}) and a key of 1 to 512")
        if not storable(key):
            raise ValueError("the key of an interest has characters that cannot be stored")
    named = paths_named(names=[key for kind, key in given if kind == PortraitEdit.Kind.CATEGORY and JOINT not in key])
    for kind, key in (*clear, *_spelt(clear, named)):
        PortraitEdit.objects.filter(shopper=shopper, kind=kind, key=key).delete()
    actions = PortraitEdit.Action
    for action, keys in ((actions.PIN, pin), (actions.BLOCK, block), (actions.HIDE, hide)):
        PortraitEdit.objects.bulk_create(
            [PortraitEdit(shopper=shopper, kind=kind, key=key, action=action) for kind, key in _spelt(keys, named)],
            update_conflicts=True,
            unique_fields=["shopper", "kind", "key"],
            update_fields=["action"],
        )
    if PortraitEdit.objects.filter(shopper=shopper).count() > MOST_KEPT:
        raise ValueError(f"a portrait keeps {MOST_KEPT} edits at most; clear some first")


def _spelt(keys: Keys, named: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Each key once, categories by their paths."""
    paths = {
        (kind, path)
        for kind, key in keys
        for path in (named.get(key, [key]) if kind == PortraitEdit.Kind.CATEGORY else [key])
    }
    return sorted(paths)
