"""Events that a source vouches for, out of a file or a stream: judged and stored a batch at a time."""

from __future__ import annotations

import datetime as dt
import enum
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, IntegrityError, connection, transaction

from shop_reco.conf import reco_settings
from shop_reco.database_errors import cannot_serve, lost_a_race
from shop_reco.users import services as users
from shop_reco.users.selectors import consenting_to_any, erased_since, primary_keys

from .admission import NO_CONSENT, Judge, Judged, names_in, products_in
from .drafts import EventDraft, name_of
from .errors import EventError
from .models import Sender
from .services import CONFLICT
from .storing import hold, insert_events, mark_dirty, stored_digests

TRIES = 5
ERASED = EventError("ERASED", "the shopper was erased, and an import brings nothing back from before")
T = TypeVar("T")


class Stored(enum.Enum):
    NEW = "new"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Said:
    """The event that a row or a message says, or why it says none and the shopper whom it names all the same."""

    event: dict[str, Any]
    error: EventError | None = None


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """What each row comes to, but for the consent of its shopper; and who was erased, as far as was known."""

    rows: list[Judged]
    erased: dict[str, dt.datetime]


def tried(work: Callable[[], T]) -> T:
    """Another writer may store one of the ids, erase one of the shoppers or hold the lock meanwhile."""
    for again in range(1, TRIES):
        try:
            return work()
        except DatabaseError as error:
            if not (lost_a_race(error) or cannot_serve(error)):
                raise
            if not connection.in_atomic_block:  # else the connection is of whoever opened the transaction
                connection.close_if_unusable_or_obsolete()
            time.sleep(0.2 * again)
    return work()


def judged_batch(chunk: Sequence[Said], *, source: str, purposes: Sequence[str], now: dt.datetime) -> JudgedBatch:
    """Judge rows; shoppers whom nobody knows are made where ``source`` vouches for ``purposes`` that they allow.

    Raises:
        IntegrityError: If one of the shoppers was erased meanwhile.
    """
    events = [each.event for each in chunk]
    people, erased = _people(events, source, purposes, now)
    judge = Judge(
        people=people,
        products=products_in(events),
        visitor=None,
        sender=Sender.SERVER,
        now=now,
        arrived=now,
        reco=reco_settings(),
    )
    judged: list[Judged] = []
    for each in chunk:
        name = each.event.get("shopper", "")
        since = erased.get(name)
        if since is not None and (name not in people or each.error or each.event["occurred_at"] <= since):
            judged.append(Judged(None, ERASED))
        elif each.error is not None:
            judged.append(_bad(each.event, each.error, people))
        else:
            judged.append(judge.judge(each.event))
    return JudgedBatch(judged, erased)


def _people(
    events: Sequence[Mapping[str, Any]], source: str, purposes: Sequence[str], now: dt.datetime
) -> tuple[dict[str, int], dict[str, dt.datetime]]:
    """The shoppers by name, made where consent is vouched for; and when those who were erased were."""
    names = names_in(events)
    erased = erased_since(external_ids=names)
    if not purposes:
        return primary_keys(external_ids=names), erased
    with transaction.atomic():
        made = users.ensure_shoppers(external_ids=names - erased.keys())
        _check_erased(names, erased)
        users.import_consents(shopper_ids=made.values(), purposes=purposes, source=source, decided_at=now)
    return primary_keys(external_ids=erased.keys()) | made, erased


def stored_batch(chunk: Sequence[Said], judged: JudgedBatch, *, now: dt.datetime) -> list[Stored | EventError]:
    """Store what was found good of those who consent at this moment; what became of each row, in their order.

    To be called in a transaction, which the caller's own notes of the batch share.

    Raises:
        IntegrityError: If another writer was quicker; all is to be judged again.
    """
    people = {each.shopper_id for each in judged.rows if each.shopper_id is not None}
    hold(people)
    _check_erased(names_in([each.event for each in chunk]), judged.erased)
    allowed = consenting_to_any(among=people)
    good: dict[uuid.UUID, tuple[EventDraft, str]] = {}
    taken = stored_digests([each.found.id for each in judged.rows if isinstance(each.found, EventDraft)])
    verdicts: list[Stored | EventError] = []
    for shopper_id, found in ((each.shopper_id, each.found) for each in judged.rows):
        if shopper_id is not None and shopper_id not in allowed:
            # whatever else is wrong with the row: of what nobody allowed us to keep, that is all there is to say
            verdicts.append(NO_CONSENT)
        elif isinstance(found, EventError):
            verdicts.append(found)
        else:
            digest = found.digest()
            before = taken.get(found.id)
            if before is None:
                taken[found.id], good[found.id] = digest, (found, digest)
                verdicts.append(Stored.NEW)
            else:
                verdicts.append(Stored.DUPLICATE if before == digest else CONFLICT)
    inserted = insert_events(list(good.values()), received_at=now)
    if len(inserted) < len(good):
        raise IntegrityError("another writer stored some of the ids meanwhile")  # all is looked at again
    mark_dirty({draft.shopper_id for draft, _ in good.values()})
    return verdicts


def _check_erased(names: Collection[str], erased: Mapping[str, dt.datetime]) -> None:
    """Have all looked at again where one of the names was erased after ``erased`` was asked for.

    Asked after the shoppers were made or held: whoever erases one from now on takes with them what is stored here.

    Raises:
        IntegrityError: If so.
    """
    if erased_since(external_ids=names) != erased:
        raise IntegrityError("a shopper of these rows was erased meanwhile")


def _bad(event: Mapping[str, Any], error: EventError, people: Mapping[str, int]) -> Judged:
    """A row that says no event; of a stranger there is nothing to say but that they allowed nothing."""
    try:
        name = name_of(event)
    except EventError:
        return Judged(None, error)
    person = people.get(name)
    return Judged(person, error if person is not None or not name else NO_CONSENT)
