"""What is recorded of an event, and what is refused and why."""

from __future__ import annotations

import datetime as dt
import math
import time
import uuid
from decimal import Decimal

from django.utils import timezone

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.events.services import Sender, record_events
from shop_reco.users.services import decide_consent


def test_the_same_event_sent_twice_counts_once(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    first = record_events(events=[event, event], shopper=person, sender=Sender.BROWSER)
    again = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert (first.accepted, first.duplicates, again.accepted, again.duplicates) == (1, 1, 0, 1)
    assert Event.objects.filter(pk=event["id"]).count() == 1


def test_the_same_id_with_another_body_is_a_conflict(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    outcome = record_events(events=[{**event, "sku": "Tea-2"}], shopper=person, sender=Sender.BROWSER)
    assert [each.code for each in outcome.rejected] == ["CONFLICT"]


def test_good_events_beside_bad_ones_are_kept_and_bad_ones_can_be_seen(shop, person):
    outcome = record_events(
        events=[
            {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"},
            {"id": uuid.uuid4(), "type": "dance", "sku": "Tea-1"},
            {"id": uuid.uuid4(), "type": "view_item", "sku": "nothing"},
            {"id": uuid.uuid4(), "type": "rate", "sku": "Tea-1", "rating": math.nan},
        ],
        shopper=person,
        sender=Sender.SERVER,
    )
    assert outcome.accepted == 1
    assert [each.code for each in outcome.rejected] == ["UNKNOWN_TYPE", "UNKNOWN_PRODUCT", "BAD_FIELD"]
    assert RejectedEvent.objects.count() == 3


def test_a_browser_may_not_claim_a_purchase(shop, person):
    event = {"id": uuid.uuid4(), "type": "purchase", "sku": "Tea-1"}
    outcome = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert [each.code for each in outcome.rejected] == ["FORBIDDEN_FIELD"]
    assert not RejectedEvent.objects.exists()


def test_without_consent_nothing_is_stored(shop, person):
    decide_consent(
        shopper=person, decisions={"personalisation": False, "training": False, "analytics": False}, source="test"
    )
    before = Event.objects.count()
    outcome = record_events(
        events=[{"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}], shopper=person, sender=Sender.BROWSER
    )
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"]
    assert Event.objects.count() == before
    assert not RejectedEvent.objects.exists()


def test_an_event_older_than_the_retention_is_refused(shop, person):
    old = timezone.now() - dt.timedelta(days=500)
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1", "occurred_at": old}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["TOO_OLD"]


def test_a_price_that_rounds_over_the_limit_is_refused_and_the_rest_can_be_read(shop, person):
    event = {"type": "purchase", "sku": "Tea-1"}
    prices = ("9999999999.999", "9999999999.994", "NaN", "-1")
    outcome = record_events(
        events=[{**event, "id": uuid.uuid4(), "price": price} for price in prices], shopper=person, sender=Sender.SERVER
    )
    assert [each.index for each in outcome.rejected] == [0, 2, 3]
    told = {(each.code, each.message) for each in outcome.rejected}
    assert told == {("BAD_FIELD", "price must lie between 0 and 9999999999.99")}
    assert Decimal("9999999999.99") in Event.objects.values_list("price", flat=True)


def test_a_conflict_is_kept_with_its_shopper(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    record_events(events=[{**event, "text": "mine"}], shopper=person, sender=Sender.BROWSER)
    assert RejectedEvent.objects.get().shopper == person


def test_an_overlong_name_is_not_kept(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1", "shopper": "n" * 129}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["BAD_FIELD"]
    assert not RejectedEvent.objects.exists()


def test_half_a_character_is_replaced_where_it_is_kept(shop, person):
    event = {"id": uuid.uuid4(), "type": "review", "sku": "Tea-1", "text": "a\ud800\0"}
    record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert RejectedEvent.objects.get().payload["text"] == "a?\ufffd"


def test_a_text_of_marks_is_refused_at_once(shop, person):
    event = {"id": uuid.uuid4(), "type": "review", "sku": "Tea-1", "text": "a" + "\u0301\u0327" * 60_000}
    began = time.perf_counter()
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["TOO_LONG"]
    assert time.perf_counter() - began < 1
