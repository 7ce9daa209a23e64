"""The one way in for events, whoever sends them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.database_errors import lost_a_race
from shop_reco.measures import events_judged
from shop_reco.products.models import Product
from shop_reco.users import services as users
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import consenting_to_any

from . import rejections
from .admission import NO_CONSENT, Judge, Judged, names_in, products_in
from .drafts import EventDraft
from .errors import BatchTooLargeError, EventError
from .models import Event, RejectedEvent, Sender
from .rejections import UNKEPT, Refused
from .signals import events_recorded
from .storing import hold, insert_events, mark_dirty, stored_digests

__all__ = ["Outcome", "Rejection", "Sender", "record_events", "replay_rejected", "track"]

ATTEMPTS = 5
"""How often a batch is tried that another write came in the way of."""

CONFLICT = EventError("CONFLICT", "another event was stored under this id; make a new id for a new event")


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the event at ``index`` of the batch was not stored."""

    index: int
    code: str
    message: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch: accepted + duplicates + rejected = received."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def record_events(*, events: Sequence[Mapping[str, Any]], shopper: Shopper | None, sender: Sender) -> Outcome:
    """Store a batch; good events beside bad ones are kept, and the same id again counts once.

    ``shopper`` did what an event without a ``shopper`` of its own reports; None is a stranger.

    Raises:
        BatchTooLargeError: If the batch is larger than BATCH_EVENTS; nothing is stored.
        DatabaseError: If the database cannot write now; nothing is stored.
    """
    outcome = _recorded(events, shopper, sender)
    events_judged(
        sender=sender.value,
        accepted=outcome.accepted,
        duplicates=outcome.duplicates,
        rejected=[each.code for each in outcome.rejected],
    )
    return outcome


def _recorded(
    events: Sequence[Mapping[str, Any]],
    shopper: Shopper | None,
    sender: Sender,
    *,
    arrived: dt.datetime | None = None,
    keep_refused: bool = True,
) -> Outcome:
    reco, now = reco_settings(), timezone.now()
    if len(events) > reco.BATCH_EVENTS:
        raise BatchTooLargeError(f"{len(events)} events; send {reco.BATCH_EVENTS} at most in one call")
    most = reco.REJECTED_A_DAY if keep_refused else 0
    for attempt in range(1, ATTEMPTS + 1):
        try:
            # Judged outside of the transaction: on SQLite no other writer waits for it.
            judge = Judge(
                people=_people(events, shopper, sender),
                products=products_in(events),
                visitor=shopper.pk if shopper is not None and shopper.is_visitor else None,
                sender=sender,
                now=now,
                arrived=arrived or now,
                reco=reco,
            )
            return _stored(events, [judge.judge(raw) for raw in events], sender, now=now, most_kept=most)
        except DatabaseError as error:
            # Another call took one of the ids, or erased one of the shoppers or products, after this one had looked.
            if attempt == ATTEMPTS or not lost_a_race(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def _people(events: Sequence[Mapping[str, Any]], shopper: Shopper | None, sender: Sender) -> dict[str, int]:
    """Who each name in the batch is; the empty name is whoever sends it."""
    people = {} if shopper is None else {"": shopper.pk}
    if sender is Sender.SERVER and (names := names_in(events)):
        people |= users.ensure_shoppers(external_ids=names)
    return people


@transaction.atomic
def _stored(
    events: Sequence[Mapping[str, Any]], judged: Sequence[Judged], sender: Sender, *, now: dt.datetime, most_kept: int
) -> Outcome:
    """Store what was found good of those who consent at this moment, and keep what was not."""
    people = {each.shopper_id for each in judged if each.shopper_id is not None}
    hold(people)
    allowed = consenting_to_any(among=people)
    good: list[tuple[int, EventDraft, str]] = []
    refused: dict[int, EventError] = {}
    for index, each in enumerate(judged):
        found = each.found
        if isinstance(found, EventError):
            # Of what nobody allowed us to keep, that is all there is to say.
            silent = each.shopper_id is None or each.shopper_id in allowed or found.code in UNKEPT
            refused[index] = found if silent else NO_CONSENT
        elif found.shopper_id not in allowed:
            refused[index] = NO_CONSENT
        else:
            good.append((index, found, found.digest()))
    first: dict[uuid.UUID, tuple[EventDraft, str]] = {}
    for _, draft, digest in good:
        first.setdefault(draft.id, (draft, digest))
    inserted, taken = _insert(first, received_at=now)
    for index, draft, digest in good:
        if digest != (taken.get(draft.id) or first[draft.id][1]):
            refused[index] = CONFLICT
    order = sorted(refused.items())
    rejections.keep(
        [Refused(events[index], error, judged[index].shopper_id) for index, error in order],
        sender=sender,
        now=now,
        most=most_kept,
    )
    _announce({first[event_id][0].shopper_id for event_id in inserted})
    return Outcome(
        accepted=len(inserted),
        duplicates=len(events) - len(inserted) - len(refused),
        rejected=[Rejection(index, error.code, error.message) for index, error in order],
    )


def _insert(
    drafts: Mapping[uuid.UUID, tuple[EventDraft, str]], *, received_at: dt.datetime
) -> tuple[set[uuid.UUID], dict[uuid.UUID, str]]:
    """Insert the events whose ids are free; returns those ids, and the digests of what has the others."""
    taken, inserted = stored_digests(list(drafts)), set[uuid.UUID]()
    while missing := [event_id for event_id in drafts if event_id not in taken and event_id not in inserted]:
        inserted |= insert_events([drafts[event_id] for event_id in missing], received_at=received_at)
        # Whoever was quicker has committed by now, or nobody could have been told from them.
        taken |= stored_digests([event_id for event_id in missing if event_id not in inserted])
    return inserted, taken


def track(
    *, shopper: Shopper, type: str, product: Product | None = None, event_id: uuid.UUID | None = None, **fields: Any
) -> Outcome:
    """Report one event from the shop's own code."""
    event = {"id": event_id or uuid.uuid4(), "type": type, "product": product and product.public_id, **fields}
    return record_events(events=[event], shopper=shopper, sender=Sender.SERVER)


@transaction.atomic
def replay_rejected(*, rejected: RejectedEvent) -> Outcome:
    """Try a rejected event once more, after whatever was wrong with it has been mended.

    It may say what its sender may: what came from a browser is no purchase because staff send it again.
    One that says nothing of its time happened when it first arrived. One that is refused again stays, with
    the newest reason. So does a message of a stream of which only its place was kept: its sender has it.
    """
    if rejected.shopper_id is None and set(rejected.payload) == rejections.PLACE:
        return Outcome(rejected=[Rejection(0, rejected.code, rejected.message)])
    outcome = _recorded(
        [rejected.payload],
        rejected.shopper,
        Sender(rejected.sender),
        arrived=rejected.received_at,
        keep_refused=False,
    )
    row = RejectedEvent.objects.filter(pk=rejected.pk)
    if outcome.rejected:
        row.update(code=outcome.rejected[0].code, message=outcome.rejected[0].message)
    else:
        row.update(replayed_at=timezone.now())
    return outcome


def mark_shoppers(*, shopper_ids: Collection[int]) -> None:
    """Have whatever is drawn of these shoppers drawn anew; in the transaction of whoever says so."""
    mark_dirty(set(shopper_ids))


def _announce(shopper_ids: set[int]) -> None:
    if shopper_ids:
        mark_dirty(shopper_ids)
        transaction.on_commit(partial(events_recorded.send_robust, Event, shopper_ids=sorted(shopper_ids)))
