"""Events out of a stream: stored once each, in the transaction that notes how far the stream has been read.

A consumer that dies anywhere goes on from what is noted, so that nothing is lost or stored twice. One that has lost a
partition without knowing it finds the note changed, and stores nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import DataError, transaction
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.measures import events_judged
from shop_reco.tables.fields import Fields
from shop_reco.tables.writing import Writing

from . import rejections
from .errors import EventError, StreamMovedError
from .models import Event, Sender, StreamPosition
from .rejections import Refused
from .rows import FIELDS, NAMESPACE, Identities, event_of, shopper_of
from .signals import events_recorded
from .vouched import JudgedBatch, Said, Stored, judged_batch, stored_batch, tried

BAD_MESSAGE = rejections.BAD_MESSAGE
UNSTORABLE = (DataError, ValueError, TypeError, ArithmeticError)
"""What one message may be to blame for; anything else is wrong with the shop, and the messages wait."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What is read, and what its ``source`` vouches for: ids are unique within it, and it is recorded with consents."""

    source: str
    topic: str
    purposes: Sequence[str] = ()
    fields: Fields = field(default_factory=lambda: Fields(known=FIELDS))
    writing: Writing = field(default_factory=Writing)


@dataclass(frozen=True, slots=True)
class Message:
    partition: int
    offset: int
    value: bytes | None


@dataclass(slots=True)
class Taken:
    """What became of messages: new + duplicates + rejected = read."""

    new: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, other: Taken) -> None:
        self.new += other.new
        self.duplicates += other.duplicates
        self.rejected += other.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard(Said):
    """A message, with the fields that were understood of it."""

    message: Message
    named: Mapping[str, Any]


def positions(*, stream: Stream) -> dict[int, int]:
    """The next offset of each partition that was ever read; one query."""
    found = StreamPosition.objects.filter(source=stream.source, topic=stream.topic)
    return dict(found.values_list("partition", "next_offset"))


@transaction.atomic
def begin(*, stream: Stream, starts: Mapping[int, int]) -> dict[int, int]:
    """Note where partitions begin that were never read; returns where each of ``starts`` is to be read from."""
    now = timezone.now()
    StreamPosition.objects.bulk_create(
        [
            StreamPosition(source=stream.source, topic=stream.topic, partition=partition, next_offset=at, seen_at=now)
            for partition, at in sorted(starts.items())
        ],
        ignore_conflicts=True,
    )
    found = positions(stream=stream)
    return {partition: found[partition] for partition in starts}


@transaction.atomic
def begin_anew(*, stream: Stream, partition: int, at: int) -> None:
    """Go on elsewhere: what was to be read next is not there any more."""
    rows = StreamPosition.objects.filter(source=stream.source, topic=stream.topic, partition=partition)
    rows.update(next_offset=at, seen_at=timezone.now())


def look(*, stream: Stream, ends: Mapping[int, int]) -> None:
    """Note that the stream is followed, and where its partitions end."""
    now = timezone.now()
    for partition, end in ends.items():
        rows = StreamPosition.objects.filter(source=stream.source, topic=stream.topic, partition=partition)
        rows.update(end_offset=end, seen_at=now)


def take(
    *, stream: Stream, messages: Sequence[Message], begun: Mapping[int, int], ends: Mapping[int, int] | None = None
) -> Taken:
    """Store messages and how far they go, in one transaction; one that no database takes is rejected by itself.

    Args:
        stream: Where they come from.
        messages: Those of one partition in the order of their offsets.
        begun: For each of their partitions, where it had been read to before them.
        ends: Where partitions end, as far as is known.

    Raises:
        StreamMovedError: If a partition has been read on from there by somebody else; nothing is stored.
        DatabaseError: If the database cannot write now; nothing is stored, or the first ones are and are noted.
    """
    try:
        return _store(stream, messages, begun, ends or {})
    except UNSTORABLE as error:
        if len(messages) == 1:
            return _store(stream, messages, begun, ends or {}, unstorable=type(error).__name__)
    half = len(messages) // 2
    taken = take(stream=stream, messages=messages[:half], begun=begun, ends=ends)
    further = {**begun, **{each.partition: each.offset + 1 for each in messages[:half]}}
    taken.add(take(stream=stream, messages=messages[half:], begun=further, ends=ends))
    return taken


def _store(
    stream: Stream, messages: Sequence[Message], begun: Mapping[int, int], ends: Mapping[int, int], unstorable: str = ""
) -> Taken:
    heard = [_heard(stream, each, unstorable) for each in messages]

    def work() -> Taken:
        now = timezone.now()
        judged = judged_batch(heard, source=stream.source, purposes=stream.purposes, now=now)
        return _note(stream, heard, judged, begun, ends, now)

    taken = tried(work)
    events_judged(sender="stream", accepted=taken.new, duplicates=taken.duplicates, rejected=taken.rejected.elements())
    return taken


@transaction.atomic
def _note(
    stream: Stream,
    heard: Sequence[_Heard],
    judged: JudgedBatch,
    begun: Mapping[int, int],
    ends: Mapping[int, int],
    now: dt.datetime,
) -> Taken:
    rows = _held(stream, {each.message.partition for each in heard}, begun)
    taken, refused, lost = Taken(), list[Refused](), list[Refused]()
    shoppers: set[int] = set()
    for each, verdict, (shopper_id, _found) in zip(
        heard,
        stored_batch(heard, judged, now=now),
        ((one.shopper_id, one.found) for one in judged.rows),
        strict=True,
    ):
        row = rows[each.message.partition]
        row.next_offset = each.message.offset + 1
        if verdict is Stored.NEW:
            taken.new, row.new = taken.new + 1, row.new + 1
            shoppers.update({shopper_id} if shopper_id is not None else ())
        elif verdict is Stored.DUPLICATE:
            taken.duplicates, row.duplicates = taken.duplicates + 1, row.duplicates + 1
        elif isinstance(verdict, EventError):
            row.rejected += 1
            taken.rejected[verdict.code] += 1
            if shopper_id is not None:
                refused.append(Refused(each.event if each.error is None else each.named, verdict, shopper_id))
            elif verdict.code not in rejections.UNKEPT | {"ERASED"}:
                lost.append(Refused(_place(stream, each.message), verdict, None))
    most = reco_settings().REJECTED_A_DAY
    rejections.keep(refused, sender=Sender.SERVER, now=now, most=most)
    rejections.keep_places(lost, now=now, most=most)
    for partition, row in rows.items():
        row.end_offset, row.seen_at = max(row.next_offset, ends.get(partition, 0)), now
    columns = ["next_offset", "end_offset", "new", "duplicates", "rejected", "seen_at"]
    StreamPosition.objects.bulk_update(rows.values(), columns)
    if shoppers:
        transaction.on_commit(partial(events_recorded.send_robust, Event, shopper_ids=sorted(shoppers)))
    return taken


def _held(stream: Stream, partitions: set[int], begun: Mapping[int, int]) -> dict[int, StreamPosition]:
    """The notes of these partitions, which nobody else changes until the transaction ends."""
    found = StreamPosition.objects.select_for_update().filter(
        source=stream.source, topic=stream.topic, partition__in=partitions
    )
    rows = {row.partition: row for row in found.order_by("partition")}
    for partition in partitions:
        at = rows[partition].next_offset if partition in rows else None
        if at != begun[partition]:
            raise StreamMovedError(f"partition {partition} was read on to {at} from {begun[partition]}")
    return rows


def _heard(stream: Stream, message: Message, unstorable: str) -> _Heard:
    try:
        if unstorable:
            raise EventError(BAD_MESSAGE, f"the message could not be stored: {unstorable}")
        said = _object(message.value)
    except EventError as error:
        return _Heard(message=message, named={}, event={}, error=error)
    named = stream.fields.of(said)
    event_id = _event_id(stream, message, named.get("id"))
    try:
        event = event_of(named, stream.writing)
    except EventError as error:
        return _Heard(message=message, named={**named, "id": str(event_id)}, event=shopper_of(named), error=error)
    event["id"] = event_id
    return _Heard(message=message, named=named, event=event)


def _object(value: bytes | None) -> dict[str, Any]:
    """The JSON object that a message is.

    Raises:
        EventError: BAD_MESSAGE or TOO_LONG; it quotes nothing of the message.
    """
    if not value:
        raise EventError(BAD_MESSAGE, "the message is empty; send a JSON object, one event a message")
    longest = reco_settings().IMPORT_ROW_BYTES
    if len(value) > longest:
        raise EventError("TOO_LONG", f"the message has {len(value)} bytes; {longest} at most")
    try:
        said = json.loads(value, parse_constant=_no_constant)
    except RecursionError:
        raise EventError(BAD_MESSAGE, "the message is nested too deep") from None
    except UnicodeDecodeError:
        raise EventError(BAD_MESSAGE, "the message is not UTF-8") from None
    except json.JSONDecodeError as error:
        text = f"the message is not JSON: {error.msg} at character {error.pos + 1}"
        raise EventError(BAD_MESSAGE, text) from None
    except ValueError:
        raise EventError(BAD_MESSAGE, "the message has a number that is none of JSON, or is too long") from None
    if not isinstance(said, dict):
        raise EventError(BAD_MESSAGE, "the message must be a JSON object, one event a message")
    return said


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _event_id(stream: Stream, message: Message, given: Any) -> uuid.UUID:
    """The event's own id, or one made of where the message lies and what it says."""
    if given is not None and given != "" and not isinstance(given, dict | list | bool):
        return Identities(stream.source).of(given, {})
    said = hashlib.blake2b(message.value or b"", digest_size=16).hexdigest()
    place = f"{stream.source}\0{stream.topic}\0{message.partition}\0{message.offset}\0{said}"
    return uuid.uuid5(NAMESPACE, place)


def _place(stream: Stream, message: Message) -> dict[str, Any]:
    """Where a message lies that nobody can be told to own: what it says is not kept."""
    return {"source": stream.source, "topic": stream.topic, "partition": message.partition, "offset": message.offset}
