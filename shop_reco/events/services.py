"""The one way in for events, whoever sends them."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from shop_reco.conf import RecoSettings, reco_settings
from shop_reco.products.models import Product
from shop_reco.users import services as users
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import consenting_to_any

from . import drafts
from .drafts import EventDraft
from .errors import BatchTooLargeError, EventError
from .models import DataImport, DirtyShopper, Event, RejectedEvent
from .signals import events_recorded


class Sender(enum.Enum):
    """Who reports: a browser may not say what only the shop knows."""

    BROWSER = "browser"
    SERVER = "server"


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


UNKEPT = frozenset({"CONSENT_REQUIRED", "FORBIDDEN_FIELD"})
"""Refusals that leave no row: nobody allowed us to keep the first, and nobody could replay the second."""


def record_events(*, events: Sequence[Mapping[str, Any]], shopper: Shopper | None, sender: Sender) -> Outcome:
    """Store a batch; good events beside bad ones are kept, and the same id again counts once.

    ``shopper`` did what an event without a ``shopper`` of its own reports; None is a stranger.

    Raises:
        BatchTooLargeError: If the batch is larger than BATCH_EVENTS; nothing is stored.
    """
    try:
        return _recorded(events, shopper, sender)
    except IntegrityError:
        # Another call stored one of the ids, or erased one of the shoppers, after this one had looked.
        return _recorded(events, shopper, sender)


@transaction.atomic
def _recorded(events: Sequence[Mapping[str, Any]], shopper: Shopper | None, sender: Sender) -> Outcome:
    reco, now = reco_settings(), timezone.now()
    if len(events) > reco.BATCH_EVENTS:
        raise BatchTooLargeError(f"{len(events)} events; send {reco.BATCH_EVENTS} at most in one call")
    outcome = Outcome()
    people = _people(events, shopper, sender)
    products = _products(events)
    allowed = consenting_to_any(among={person.pk for person in people.values()})
    accepted: dict[uuid.UUID, tuple[int, EventDraft]] = {}
    for index, raw in enumerate(events):
        person = people.get(_named(raw))
        try:
            draft = _draft(raw, person, products, allowed=allowed, sender=sender, now=now, reco=reco)
        except EventError as error:
            _reject(outcome, index, raw, error, person, now)
            continue
        earlier = accepted.get(draft.id)
        if earlier is None:
            accepted[draft.id] = (index, draft)
        elif earlier[1].digest() == draft.digest():
            outcome.duplicates += 1
        else:
            _reject(outcome, index, raw, CONFLICT, person, now)
    fresh = _without_stored(accepted, events, people, outcome, now)
    Event.objects.bulk_create([draft.event(received_at=now) for draft in fresh])
    outcome.accepted = len(fresh)
    _announce({draft.shopper_id for draft in fresh})
    return outcome


CONFLICT = EventError("CONFLICT", "another event was stored under this id; make a new id for a new event")


def track(
    *, shopper: Shopper, type: str, product: Product | None = None, event_id: uuid.UUID | None = None, **fields: Any
) -> Outcome:
    """Report one event from the shop's own code."""
    event = {"id": event_id or uuid.uuid4(), "type": type, "product": product and product.public_id, **fields}
    return record_events(events=[event], shopper=shopper, sender=Sender.SERVER)


@transaction.atomic
def replay_rejected(*, rejected: RejectedEvent) -> Outcome:
    """Try a rejected event once more, after whatever was wrong with it has been mended."""
    outcome = record_events(events=[rejected.payload], shopper=rejected.shopper, sender=Sender.SERVER)
    if not outcome.rejected:
        RejectedEvent.objects.filter(pk=rejected.pk).update(replayed_at=timezone.now())
    return outcome


def import_events(
    *, rows: Iterable[EventDraft], batch: int = 5000, progress: Callable[[int], None] | None = None
) -> int:
    """Store well-formed events in bulk, a transaction a batch; ids already stored are passed over, and so is
    what is older than events are kept: it may have been folded already.

    Returns how many were new. ``progress`` hears how many rows were read so far.
    """
    rest, read, new = iter(rows), 0, 0
    while chunk := list(islice(rest, batch)):
        new += _import_batch(chunk)
        read += len(chunk)
        if progress is not None:
            progress(read)
    return new


@transaction.atomic
def _import_batch(chunk: list[EventDraft]) -> int:
    now, reco = timezone.now(), reco_settings()
    chunk = [
        draft
        for draft in chunk
        if draft.occurred_at >= now - dt.timedelta(days=drafts.days_kept(kind=draft.type, visitor=False, reco=reco))
    ]
    stored = _stored_digests([draft.id for draft in chunk])
    fresh = {draft.id: draft for draft in chunk if draft.id not in stored}
    Event.objects.bulk_create(
        [draft.event(received_at=now) for draft in fresh.values()], batch_size=1000, ignore_conflicts=True
    )
    _mark_dirty({draft.shopper_id for draft in fresh.values()})
    return len(fresh)


def _named(raw: Mapping[str, Any]) -> str:
    return str(raw.get("shopper") or "")


def _people(events: Sequence[Mapping[str, Any]], shopper: Shopper | None, sender: Sender) -> dict[str, Shopper]:
    """Who each name in the batch is; the empty name is whoever sends it."""
    people = {} if shopper is None else {"": shopper}
    if sender is Sender.SERVER:
        for name in {str(raw["shopper"]) for raw in events if raw.get("shopper")}:
            if len(name) <= 128 and drafts.storable(name):
                people[name] = users.ensure_shopper(external_id=name)
    return people


def _products(events: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Primary keys by sku and by public id of all that the batch names; two queries."""
    skus = {sku for raw in events if (sku := str(raw.get("sku") or "")) and drafts.storable(sku)}
    public_ids: set[uuid.UUID] = set()
    for raw in events:
        with contextlib.suppress(EventError):
            if (public_id := drafts.uuid_of(raw, "product")) is not None:
                public_ids.add(public_id)
    found = {f"sku:{sku}": pk for sku, pk in Product.objects.filter(sku__in=skus).values_list("sku", "pk")}
    by_id = Product.objects.filter(public_id__in=public_ids).values_list("public_id", "pk")
    return found | {f"id:{public_id}": pk for public_id, pk in by_id}


def _draft(
    raw: Mapping[str, Any],
    person: Shopper | None,
    products: Mapping[str, int],
    *,
    allowed: set[int],
    sender: Sender,
    now: dt.datetime,
    reco: RecoSettings,
) -> EventDraft:
    """Check one event field by field.

    Raises:
        EventError: Naming the first field that is wrong.
    """
    kind = drafts.type_of(raw)
    if sender is Sender.BROWSER:
        if kind in drafts.SERVER_TYPES:
            raise EventError("FORBIDDEN_FIELD", f"type {kind} must come from the shop's server")
        for name in ("shopper", "price", "currency", "order"):
            if raw.get(name) is not None:
                raise EventError("FORBIDDEN_FIELD", f"{name} must come from the shop's server")
    if person is None and raw.get("shopper"):
        raise EventError("BAD_FIELD", "shopper must be 1 to 128 characters that can be stored")
    if person is None or person.pk not in allowed:
        raise EventError("CONSENT_REQUIRED", "the shopper has not consented to any use of events")
    event_id = drafts.uuid_of(raw, "id")
    if event_id is None:
        raise EventError("BAD_FIELD", "id must be a UUID made by the client")
    product_id = _product_id(raw, products)
    if product_id is None and kind not in drafts.FREE_OF_PRODUCT:
        raise EventError("BAD_FIELD", f"{kind} needs a product or a sku")
    occurred_at, skewed = drafts.time_of(raw, now=now, reco=reco)
    drafts.check_age(occurred_at, kind=kind, visitor=person.is_visitor, now=now, reco=reco)
    quantity = drafts.number_of(raw, "quantity", lowest=1, highest=1_000_000)
    rating = drafts.number_of(raw, "rating", lowest=1, highest=5)
    if kind == Event.Type.RATE and rating is None:
        raise EventError("BAD_FIELD", "rate needs a rating between 1 and 5")
    channel = str(raw.get("channel") or Event.Channel.WEB).lower()
    if channel not in Event.Channel.values:
        raise EventError("BAD_FIELD", f"channel must be one of {', '.join(Event.Channel.values)}")
    return EventDraft(
        id=event_id,
        shopper_id=person.pk,
        product_id=product_id,
        type=kind,
        occurred_at=occurred_at,
        clock_skewed=skewed,
        dated=raw.get("occurred_at") is not None,
        quantity=int(quantity or 1),
        price=drafts.price_of(raw),
        currency=drafts.text_of(raw, "currency", 3).upper(),
        order=drafts.text_of(raw, "order", 64),
        channel=channel,
        rating=rating,
        text=drafts.text_of(raw, "text", drafts.TEXT_CHARACTERS),
        query=drafts.text_of(raw, "query", drafts.QUERY_CHARACTERS),
        slate_id=drafts.uuid_of(raw, "slate_id"),
    )


def _product_id(raw: Mapping[str, Any], products: Mapping[str, int]) -> int | None:
    public_id, sku = drafts.uuid_of(raw, "product"), raw.get("sku")
    if sku and not drafts.storable(str(sku)):
        raise EventError("BAD_FIELD", "sku has characters that cannot be stored")
    if public_id is None and not sku:
        return None
    found = products.get(f"id:{public_id}") if public_id is not None else products.get(f"sku:{sku}")
    if found is None:
        raise EventError("UNKNOWN_PRODUCT", "the product is not in the catalogue; import it, then replay this event")
    return found


def _reject(
    outcome: Outcome,
    index: int,
    raw: Mapping[str, Any],
    error: EventError,
    person: Shopper | None,
    now: dt.datetime,
) -> None:
    outcome.rejected.append(Rejection(index, error.code, error.message))
    # What names nobody whom an export or erasure would find is not kept either.
    if error.code not in UNKEPT and person is not None:
        written = json.dumps(dict(raw), cls=DjangoJSONEncoder, ensure_ascii=False)
        storable = written.encode(errors="replace").decode().replace("\\u0000", "\\ufffd")
        payload = json.loads(storable, parse_constant=str)
        RejectedEvent.objects.create(
            payload=payload, code=error.code, message=error.message, shopper=person, received_at=now
        )


def _stored_digests(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Digests by id of those events that are stored already; one query a thousand."""
    stored: dict[uuid.UUID, str] = {}
    for start in range(0, len(ids), 1000):
        found = Event.objects.filter(pk__in=ids[start : start + 1000])
        stored.update(found.values_list("pk", "digest"))
    return stored


def _without_stored(
    accepted: Mapping[uuid.UUID, tuple[int, EventDraft]],
    events: Sequence[Mapping[str, Any]],
    people: Mapping[str, Shopper],
    outcome: Outcome,
    now: dt.datetime,
) -> list[EventDraft]:
    """Leave out the events stored before, as duplicates or conflicts."""
    stored = _stored_digests(list(accepted))
    fresh = []
    for event_id, (index, draft) in accepted.items():
        digest = stored.get(event_id)
        if digest is None:
            fresh.append(draft)
        elif digest == draft.digest():
            outcome.duplicates += 1
        else:
            _reject(outcome, index, events[index], CONFLICT, people.get(_named(events[index])), now)
    return fresh


def _mark_dirty(shopper_ids: set[int]) -> None:
    DirtyShopper.objects.bulk_create(
        [DirtyShopper(pk=pk, marks=0) for pk in sorted(shopper_ids)], ignore_conflicts=True
    )
    for start in range(0, len(shopper_ids), 500):
        chunk = sorted(shopper_ids)[start : start + 500]
        DirtyShopper.objects.filter(pk__in=chunk).update(marks=F("marks") + 1)


def mark_shoppers(*, shopper_ids: Collection[int]) -> None:
    """Have whatever is drawn of these shoppers drawn anew; in the transaction of whoever says so."""
    _mark_dirty(set(shopper_ids))


def mark_touched(*, category_ids: Collection[int]) -> None:
    """Have whatever is drawn of the shoppers with events in these categories drawn anew."""
    touched = Event.objects.filter(product__category__in=category_ids).order_by()
    _mark_dirty(set(touched.values_list("shopper_id", flat=True).distinct()))


def _announce(shopper_ids: set[int]) -> None:
    if shopper_ids:
        _mark_dirty(shopper_ids)
        transaction.on_commit(partial(events_recorded.send_robust, Event, shopper_ids=sorted(shopper_ids)))


@transaction.atomic
def start_import(*, source: str, shift_weeks: int) -> DataImport:
    """Note that an import begins; the shift of the first one stays."""
    return DataImport.objects.get_or_create(source=source, defaults={"shift_weeks": shift_weeks})[0]


@transaction.atomic
def finish_import(*, source: str, report: Mapping[str, Any]) -> DataImport:
    """Note that an import ended, and what came of it."""
    DataImport.objects.filter(source=source).update(report=dict(report), finished_at=timezone.now())
    return DataImport.objects.get(source=source)
