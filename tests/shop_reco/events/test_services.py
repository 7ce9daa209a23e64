"""What is recorded of an event, and what is refused and why."""

from __future__ import annotations

import datetime as dt
import math
import uuid

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
