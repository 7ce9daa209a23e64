"""Messages of a stream: stored once, beside how far it was read; what is no event is told and holds nothing up."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from django.db import DataError, OperationalError

from shop_reco.events import streams, vouched
from shop_reco.events.errors import StreamMovedError
from shop_reco.events.models import DirtyShopper, Event, RejectedEvent, StreamPosition
from shop_reco.events.services import replay_rejected
from shop_reco.events.streams import Message, Stream, begin, begin_anew, look, positions, take
from shop_reco.privacy.services import erase_shopper
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.services import decide_consent, ensure_shoppers

STREAM = Stream(source="till", topic="events")


@pytest.fixture
def said(shop):
    """Makes the value of a message: a purchase of today."""

    def made(**fields):
        event = {
            "shopper": "h1", "type": "PURCHASE", "sku": "Tea-1", "quantity": 2, "price": "2.50", "currency": "EUR",
            "occurredAt": (shop.now - dt.timedelta(hours=1)).isoformat(),
        }  # fmt: skip
        return json.dumps({**event, **fields}).encode()

    return made


@pytest.fixture
def send(shop):
    """Has values taken as the next messages of partition 0."""
    begin(stream=STREAM, starts={0: 0})
    before = set(Event.objects.values_list("pk", flat=True))

    def taken(*values, stream=STREAM):
        at = positions(stream=STREAM)[0]
        messages = [Message(0, at + n, value) for n, value in enumerate(values)]
        return take(stream=stream, messages=messages, begun={0: at})

    taken.stored = lambda: Event.objects.exclude(pk__in=before)
    return taken


def told(taken):
    return taken.new, taken.duplicates, dict(taken.rejected)


def test_an_event_of_a_message_is_one_of_the_api(send, said, shop, django_capture_on_commit_callbacks):
    DirtyShopper.objects.all().delete()
    event_id = uuid.uuid4()
    assert told(send(said(id=str(event_id), slateId=None, channel="STORE"))) == (1, 0, {})
    event = send.stored().get()
    assert (event.pk, event.type, event.quantity, event.channel, event.currency) == (
        event_id, "purchase", 2, "store", "EUR",
    )  # fmt: skip
    assert (event.shopper.external_id, event.product.sku) == ("h1", "Tea-1")
    assert DirtyShopper.objects.filter(shopper=event.shopper).exists()


def test_how_far_it_was_read_stands_beside_the_events(send, said):
    send(said(), said(), b"{")
    row = StreamPosition.objects.get()
    assert (row.next_offset, row.end_offset, row.new, row.duplicates, row.rejected) == (3, 3, 2, 0, 1)


def test_messages_without_an_id_are_events_of_their_own_and_one_read_again_is_the_same(send, said):
    assert told(send(said(), said())) == (2, 0, {})
    begin_anew(stream=STREAM, partition=0, at=0)
    assert told(send(said(), said())) == (0, 2, {})
    assert send.stored().count() == 2


def test_an_id_that_is_no_uuid_is_one_within_its_source(send, said):
    other = Stream(source="web", topic="events")
    assert told(send(said(id="e-1"), said(id="e-1"))) == (1, 1, {})
    begin(stream=other, starts={0: 0})
    assert take(stream=other, messages=[Message(0, 0, said(id="e-1"))], begun={0: 0}).new == 1


def test_the_same_id_with_another_body_is_a_conflict(send, said):
    event_id = str(uuid.uuid4())
    assert told(send(said(id=event_id), said(id=event_id, quantity=3))) == (1, 0, {"CONFLICT": 1})


@pytest.mark.parametrize(
    ("value", "code", "why"),
    [
        (b"", "BAD_MESSAGE", "empty"),
        (None, "BAD_MESSAGE", "empty"),
        (b"{", "BAD_MESSAGE", "not JSON"),
        (b"\xff\xfe\xff", "BAD_MESSAGE", "not UTF-8"),
        (b"[]", "BAD_MESSAGE", "a JSON object"),
        (b'{"price": NaN}', "BAD_MESSAGE", "a number"),
        (b"9" * 5000, "BAD_MESSAGE", "a number"),
        (b"[" * 100_000, "BAD_MESSAGE", "too deep"),
        (b'"' + b"x" * 300_000 + b'"', "TOO_LONG", "300002 bytes"),
        (b'{"type": "view", "sku": "canary"}', "BAD_FIELD", "shopper is empty"),
    ],
)
def test_a_message_that_nobody_owns_is_kept_by_its_place_and_holds_nothing_up(send, said, value, code, why):
    assert told(send(said(), value, said())) == (2, 0, {code: 1})
    row = RejectedEvent.objects.get()
    assert (row.code, row.shopper) == (code, None)
    assert why in row.message
    assert row.payload == {"source": "till", "topic": "events", "partition": 0, "offset": 1}
    assert replay_rejected(rejected=row).rejected[0].code == code
    row.refresh_from_db()
    assert why in row.message


def test_such_messages_fill_no_table(send, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "REJECTED_A_DAY": 3}
    assert told(send(*[b"{"] * 5)) == (0, 0, {"BAD_MESSAGE": 5})
    send(b"{")
    assert RejectedEvent.objects.count() == 3


def test_a_bad_event_of_a_shopper_we_know_is_kept_and_can_be_tried_again(send, said, shop):
    send(said(sku="Tea-99", quantity="2"), said(occurredAt="yesterday"))
    unknown, undated = RejectedEvent.objects.order_by("pk")
    assert (unknown.code, unknown.shopper.external_id) == ("UNKNOWN_PRODUCT", "h1")
    assert (undated.code, undated.payload["occurred_at"]) == ("BAD_FIELD", "yesterday")
    product = shop.products["Tea-2"]
    product.sku = "Tea-99"
    product.save()
    assert replay_rejected(rejected=unknown).accepted == 1
    assert replay_rejected(rejected=unknown).duplicates == 1


def test_without_consent_nothing_is_kept_of_anybody(send, said):
    ensure_shoppers(external_ids=["silent"])
    assert told(send(said(shopper="stranger"), said(shopper="silent"), said(shopper="silent", type="gaze"))) == (
        0, 0, {"CONSENT_REQUIRED": 3},
    )  # fmt: skip
    assert not RejectedEvent.objects.exists()
    assert not Shopper.objects.filter(external_id="stranger").exists()


def test_consent_that_the_source_vouches_for_is_recorded_and_no_decision_is_overruled(send, said, person):
    decide_consent(shopper=person, decisions=dict.fromkeys(Consent.Purpose.values, False), source="test")
    vouching = Stream(source="till", topic="events", purposes=["training"])
    values = said(shopper="stranger"), said(shopper="h0")
    assert told(send(*values, stream=vouching)) == (1, 0, {"CONSENT_REQUIRED": 1})
    consent = Consent.objects.get(shopper__external_id="stranger")
    assert (consent.purpose, consent.source, consent.granted) == ("training", "till", True)


def test_an_erased_shopper_is_not_brought_back(send, said, person):
    erase_shopper(shopper=person)
    vouching = Stream(source="till", topic="events", purposes=["training"])
    assert told(send(said(shopper="h0"), stream=vouching)) == (0, 0, {"ERASED": 1})
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert not RejectedEvent.objects.exists()


def test_who_has_lost_a_partition_without_knowing_it_stores_nothing(send, said):
    send(said())
    with pytest.raises(StreamMovedError, match="partition 0 was read on to 1 from 0"):
        take(stream=STREAM, messages=[Message(0, 0, said(quantity=9))], begun={0: 0})
    assert send.stored().count() == 1


def test_a_failure_after_the_events_takes_them_back_with_the_position(send, said, monkeypatch):
    def failing(*arguments, **named):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(vouched.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(StreamPosition.objects, "bulk_update", failing)
    with pytest.raises(OperationalError):
        send(said())
    assert (send.stored().count(), positions(stream=STREAM)) == (0, {0: 0})


def test_one_that_no_database_takes_is_rejected_by_itself(send, said, monkeypatch):
    insert = vouched.insert_events

    def picky(drafts, **named):
        if any(draft.quantity == 7 for draft, _ in drafts):
            raise DataError("canary")
        return insert(drafts, **named)

    monkeypatch.setattr(vouched, "insert_events", picky)
    values = [said(quantity=n) for n in (1, 2, 7, 3, 4)]
    assert told(send(*values)) == (4, 0, {"BAD_MESSAGE": 1})
    assert sorted(send.stored().values_list("quantity", flat=True)) == [1, 2, 3, 4]
    row = RejectedEvent.objects.get()
    assert (row.payload["offset"], row.message) == (2, "the message could not be stored: DataError")
    assert positions(stream=STREAM) == {0: 5}


def test_a_fault_of_the_shop_is_blamed_on_no_message(send, said, monkeypatch):
    def broken(*arguments, **named):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(streams, "judged_batch", broken)
    with pytest.raises(KeyError):
        send(said())
    assert positions(stream=STREAM) == {0: 0}


def test_two_consumers_begin_a_partition_at_one_place(db):
    assert begin(stream=STREAM, starts={0: 5, 1: 0}) == {0: 5, 1: 0}
    assert begin(stream=STREAM, starts={0: 9}) == {0: 5}


def test_where_a_silent_partition_ends_is_noted(db):
    begin(stream=STREAM, starts={0: 5})
    look(stream=STREAM, ends={0: 12})
    row = StreamPosition.objects.get()
    assert (row.next_offset, row.end_offset) == (5, 12)
