"""What is recorded of an event, and what is refused and why."""

from __future__ import annotations

import datetime as dt
import math
import random
import time
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.events.cleaning import training_interactions
from shop_reco.events.errors import BatchTooLargeError
from shop_reco.events.models import DirtyShopper, Event, RejectedEvent
from shop_reco.events.selectors import EventRow, newest_rows
from shop_reco.events.services import Sender, record_events, replay_rejected
from shop_reco.portraits.models import Portrait
from shop_reco.portraits.services import refresh_dirty
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations.models import TrainingRun
from shop_reco.users.models import Shopper
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
    began = time.thread_time()
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["TOO_LONG"]
    assert time.thread_time() - began < 3  # so many marks are put in order in twelve


def test_a_batch_of_which_half_is_stored_stores_the_rest(shop, person):
    events = [{"id": uuid.uuid4(), "type": "view_item", "sku": f"Tea-{n}"} for n in range(10)]
    record_events(events=events[::2], shopper=person, sender=Sender.BROWSER)
    outcome = record_events(events=events, shopper=person, sender=Sender.BROWSER)
    assert (outcome.accepted, outcome.duplicates, outcome.rejected) == (5, 5, [])
    assert Event.objects.filter(pk__in=[event["id"] for event in events]).count() == 10


@pytest.mark.parametrize("ahead", [120, 900])
def test_an_event_of_a_clock_ahead_sent_again_later_is_a_duplicate(shop, person, ahead):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    event["occurred_at"] = (timezone.now() + dt.timedelta(seconds=ahead)).isoformat()
    first = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    time.sleep(0.01)
    again = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert (first.accepted, again.duplicates, again.rejected) == (1, 1, [])
    stored = Event.objects.get(pk=event["id"])
    assert stored.clock_skewed == (ahead > 300)
    assert stored.occurred_at <= stored.received_at


def test_one_moment_in_two_zones_is_one_event(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    moment = timezone.now() - dt.timedelta(days=1)
    for zone in (dt.UTC, dt.timezone(dt.timedelta(hours=8))):
        spelt = moment.astimezone(zone).isoformat()
        outcome = record_events(events=[{**event, "occurred_at": spelt}], shopper=person, sender=Sender.BROWSER)
    assert (outcome.duplicates, outcome.rejected) == (1, [])


POISON = [
    ({"quantity": 2**63}, "quantity must lie between 1 and 1000000"),
    ({"quantity": 10**5000}, "quantity must lie between 1 and 1000000"),
    ({"quantity": 1.5}, "quantity must be a whole number"),
    ({"quantity": -0.0}, "quantity must lie between 1 and 1000000"),
    ({"quantity": True}, "quantity must be a number"),
    ({"rating": math.nan}, "rating must lie between 1 and 5"),
    ({"rating": Decimal("sNaN")}, "rating must lie between 1 and 5"),
    ({"rating": math.inf}, "rating must lie between 1 and 5"),
    ({"rating": 1e308}, "rating must lie between 1 and 5"),
    ({"rating": "five"}, "rating must be a number"),
    ({"price": -math.inf}, "price must lie between 0 and 9999999999.99"),
    ({"price": 1e308}, "price must lie between 0 and 9999999999.99"),
    ({"price": 10**5000}, "price must be a decimal number"),
    ({"price": {"amount": 1}}, "price must be a decimal number"),
    ({"order": "\0"}, "order has characters that cannot be stored"),
    ({"query": "\udfff"}, "query has characters that cannot be stored"),
    ({"text": ["a"]}, "text must be a text"),
    ({"text": 10**5000}, "text must be a text"),
    ({"sku": {"a": 1}}, "sku must be a text of characters that can be stored"),
    ({"slate_id": 7}, "slateId must be a UUID"),
    ({"id": "no"}, "id must be a UUID"),
    ({"channel": 3}, "channel must be one of web, app, store, live, social"),
    ({"occurred_at": 12}, "occurredAt must be an ISO 8601 time with a zone"),
    ({"occurred_at": "2026-01-01T00:00:00"}, "occurredAt must be an ISO 8601 time with a zone"),
    ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "occurredAt must be an ISO 8601 time with a zone"),
]


@pytest.mark.parametrize(
    ("wrong", "message"), POISON, ids=[f"{next(iter(wrong))}-{n}" for n, (wrong, _) in enumerate(POISON)]
)
def test_a_poisonous_value_is_refused_by_name_and_can_be_kept(shop, person, wrong, message):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    before = Event.objects.count()
    outcome = record_events(events=[{**event, **wrong}, event], shopper=person, sender=Sender.SERVER)
    assert [(each.index, each.message) for each in outcome.rejected] == [(0, message)]
    assert outcome.accepted == 1
    assert Event.objects.count() == before + 1
    assert RejectedEvent.objects.get().message == message


def test_a_text_of_ten_megabytes_is_refused_and_little_of_it_kept(shop, person):
    event = {"id": uuid.uuid4(), "type": "review", "sku": "Tea-1", "text": "a" * 10_000_000}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.message for each in outcome.rejected] == ["text may have 5000 characters at most"]
    assert len(RejectedEvent.objects.get().payload["text"]) == 5001


def test_a_flood_of_bad_events_is_answered_but_only_so_many_are_kept(shop, person, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "REJECTED_A_DAY": 10}
    flood = [{"id": uuid.uuid4(), "type": "dance"} for _ in range(8)]
    for _ in range(3):
        outcome = record_events(events=flood, shopper=person, sender=Sender.BROWSER)
        assert (outcome.accepted, outcome.duplicates, len(outcome.rejected)) == (0, 0, 8)
    assert RejectedEvent.objects.count() == 10
    other = Shopper.objects.get(external_id="h1")
    record_events(events=flood, shopper=other, sender=Sender.BROWSER)
    assert RejectedEvent.objects.filter(shopper=other).count() == 8
    RejectedEvent.objects.update(received_at=timezone.now() - dt.timedelta(days=1, seconds=1))
    record_events(events=flood, shopper=person, sender=Sender.BROWSER)
    assert RejectedEvent.objects.filter(shopper=person).count() == 18


def test_what_a_shopper_who_allows_nothing_gets_wrong_is_not_kept(shop, person):
    decide_consent(
        shopper=person, decisions={"personalisation": False, "training": False, "analytics": False}, source="test"
    )
    outcome = record_events(events=[{"id": "no", "type": "dance"}], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"]
    assert not RejectedEvent.objects.exists()


def test_a_mended_event_is_replayed_at_the_time_it_first_came(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "new"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    RejectedEvent.objects.update(received_at=timezone.now() - dt.timedelta(hours=5))
    rejected = RejectedEvent.objects.get()
    assert replay_rejected(rejected=rejected).accepted == 0
    assert RejectedEvent.objects.get().replayed_at is None
    import_products(drafts=[ProductDraft(sku="new", title="New")])
    assert replay_rejected(rejected=rejected).accepted == 1
    assert Event.objects.get(pk=event["id"]).occurred_at == rejected.received_at
    assert replay_rejected(rejected=rejected).duplicates == 1
    assert RejectedEvent.objects.get().replayed_at is not None
    again = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert again.duplicates == 1


def test_what_a_browser_sent_is_no_purchase_when_staff_try_it_again(shop, person):
    event = {"id": uuid.uuid4(), "type": "purchse", "sku": "Tea-1"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    record_events(events=[{**event, "id": uuid.uuid4()}], shopper=person, sender=Sender.SERVER)
    codes = {}
    for kept in RejectedEvent.objects.all():
        kept.payload["type"] = "purchase"
        codes[kept.sender] = [each.code for each in replay_rejected(rejected=kept).rejected]
    assert codes == {"browser": ["FORBIDDEN_FIELD"], "server": []}
    assert not Event.objects.filter(pk=event["id"]).exists()


def test_a_type_that_is_cut_where_it_is_kept_stays_unknown(shop, person):
    event = {"id": uuid.uuid4(), "type": "purchase" + 5001 * " " + "x", "sku": "Tea-1"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    kept = RejectedEvent.objects.get()
    assert (kept.payload["type"].strip(), kept.sender) == ("purchase", "browser")
    for sender in Sender:
        kept.sender = sender
        assert [each.code for each in replay_rejected(rejected=kept).rejected] == ["UNKNOWN_TYPE"]
    assert not Event.objects.filter(pk=event["id"]).exists()


def test_a_batch_costs_the_same_few_queries_whatever_its_size(shop):
    def batch(n, names):
        return [
            {"id": uuid.uuid4(), "type": "view_item", "sku": f"Tea-{k % 12}", "shopper": f"{names}{k}"}
            for k in range(n)
        ]

    record_events(events=batch(2, "h"), shopper=None, sender=Sender.SERVER)
    costs = []
    for n in (5, 30):
        with CaptureQueriesContext(connection) as queries:
            assert record_events(events=batch(n, "h"), shopper=None, sender=Sender.SERVER).accepted == n
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 10
    with CaptureQueriesContext(connection) as queries:
        outcome = record_events(events=batch(100, "unknown "), shopper=None, sender=Sender.SERVER)
    assert len(outcome.rejected) == 100
    assert len(queries) <= 10
    assert Shopper.objects.filter(external_id__startswith="unknown ").count() == 100


def test_ten_hours_of_buffered_events_are_taken_at_the_batch_limit_and_ask_for_no_training(shop, person):
    """Recency goes by when it happened, not by when the outage ended."""
    now = timezone.now()
    events = [
        {
            "id": uuid.uuid4(),
            "type": "view_item",
            "sku": f"Tea-{n % 12}",
            "occurred_at": (now - dt.timedelta(seconds=30 * n)).isoformat(),
        }
        for n in range(1200)
    ]
    with pytest.raises(BatchTooLargeError):
        record_events(events=events, shopper=person, sender=Sender.SERVER)
    assert not Event.objects.filter(pk__in=[event["id"] for event in events[:500]]).exists()
    for start in (1000, 0, 500):
        record_events(events=events[start : start + 500], shopper=person, sender=Sender.SERVER)
    refresh_dirty()
    newest = [EventRow(*row) for row in newest_rows(shopper_ids=[person.pk], since=None, until=None, limit=1000)]
    assert newest[0].second == pytest.approx(now.timestamp(), abs=0.01)
    assert newest[-1].second == pytest.approx(now.timestamp() - 30 * 999, abs=0.01)
    assert Portrait.objects.get(shopper=person).n_events == 1208
    assert TrainingRun.objects.count() <= 1


def test_any_order_draws_the_same_portrait(shop, person):
    other = Shopper.objects.get(external_id="h1")
    Event.objects.filter(shopper__in=[person, other]).delete()
    now, chance = timezone.now(), random.Random(3)
    said = [
        {
            "type": chance.choice(["view_item", "purchase", "add_to_cart"]),
            "sku": f"Tea-{chance.randrange(12)}",
            "occurred_at": (now - dt.timedelta(hours=chance.randrange(1, 700))).isoformat(),
        }
        for _ in range(60)
    ]
    ids = [uuid.UUID(int=n) for n in range(120)]

    def counts(shopper, events):
        for start in range(0, len(events), 7):
            record_events(events=events[start : start + 7], shopper=shopper, sender=Sender.SERVER)
            refresh_dirty()
        return Portrait.objects.get(shopper=shopper).counts

    expected = counts(person, [{"id": ids[n], **each} for n, each in enumerate(said)])
    for _ in range(3):
        shuffled = [{"id": ids[60 + n], **each} for n, each in enumerate(said)]
        chance.shuffle(shuffled)
        assert counts(other, shuffled + shuffled[:20]) == expected
        Event.objects.filter(shopper=other).delete()


def test_a_mark_made_anew_is_told_from_the_one_that_was_cleared(shop, person):
    """Else the slower of two sweeps would clear it without having seen what it was made for."""
    marks = []
    for _ in range(2):
        DirtyShopper.objects.all().delete()
        record_events(
            events=[{"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}], shopper=person, sender=Sender.SERVER
        )
        marks.append(DirtyShopper.objects.get(shopper=person).marks)
    assert marks[0] < marks[1]


@pytest.mark.parametrize("days", [1, 401])
def test_events_sent_again_long_after_change_nothing_that_is_learnt_of_them(shop, person, monkeypatch, days):
    now = timezone.now()
    events = [
        {
            "id": uuid.uuid4(),
            "type": "purchase",
            "sku": f"Tea-{n}",
            "occurred_at": (now - dt.timedelta(hours=n)).isoformat(),
        }
        for n in range(12)
    ]

    def learnt():
        DirtyShopper.objects.get_or_create(shopper=person)
        refresh_dirty()
        known = training_interactions(until=now)
        arrays = [known.users, known.items, known.timestamps, known.weights, known.user_ids, known.item_ids]
        return Portrait.objects.get(shopper=person).counts, [array.tobytes() for array in arrays], Event.objects.count()

    record_events(events=events, shopper=person, sender=Sender.SERVER)
    once = learnt()
    monkeypatch.setattr(timezone, "now", lambda: now + dt.timedelta(days=days))
    outcome = record_events(events=events, shopper=person, sender=Sender.SERVER)
    told = {each.code for each in outcome.rejected}
    assert (outcome.accepted, outcome.duplicates, told) == ((0, 12, set()) if days == 1 else (0, 0, {"TOO_OLD"}))
    assert learnt() == once


def test_an_absurd_time_is_kept_as_a_rejection_and_no_event(shop, person):
    ahead = (timezone.now() + dt.timedelta(days=3650)).isoformat()
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1", "occurred_at": ahead}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["IN_FUTURE"]
    assert RejectedEvent.objects.get().payload["occurred_at"] == ahead
    assert not Event.objects.filter(pk=event["id"]).exists()
