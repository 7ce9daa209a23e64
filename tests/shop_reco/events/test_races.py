"""Calls that come at the same moment have the effect of one after the other."""

from __future__ import annotations

import threading
import time
import uuid
from functools import partial

import pytest
from django.db import connection, transaction

from shop_reco.events import services
from shop_reco.events.models import DirtyShopper, Event, RejectedEvent
from shop_reco.events.services import Sender, record_events
from shop_reco.privacy.services import erase_shopper
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.services import decide_consent
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
OFF = {"personalisation": False, "training": False, "analytics": False}
POSTGRESQL = connection.vendor == "postgresql"


def view(event_id=None, **more):
    return {"id": event_id or uuid.uuid4(), "type": "view_item", "sku": "Tea-1", **more}


def send(*events, shopper=None):
    return record_events(events=events, shopper=shopper, sender=Sender.SERVER)


def test_one_id_sent_fifty_times_at_once_is_stored_once_and_all_are_answered(shop, person):
    event = view()
    outcomes = at_once(*[partial(send, event, shopper=person)] * 50)
    assert sum(outcome.accepted for outcome in outcomes) == 1
    assert sum(outcome.duplicates for outcome in outcomes) == 49
    assert not [outcome for outcome in outcomes if outcome.rejected]
    assert Event.objects.filter(pk=event["id"]).count() == 1


def test_of_two_events_under_one_id_one_is_stored_and_the_other_a_conflict(shop):
    for _ in range(20):
        event_id = uuid.uuid4()
        outcomes = at_once(
            partial(send, view(event_id, shopper="h1")), partial(send, view(event_id, shopper="h2", sku="Tea-2"))
        )
        assert sum(outcome.accepted for outcome in outcomes) == 1
        assert [each.code for outcome in outcomes for each in outcome.rejected] == ["CONFLICT"]
        assert Event.objects.filter(pk=event_id).count() == 1


def test_batches_with_ids_and_shoppers_in_common_meet_in_either_order(shop):
    names = [f"h{n}" for n in range(10)]

    def both_ways(n):
        events = [view(shopper=name) for name in names]
        own = [[view(shopper=name) for name in names] for _ in range(2)]
        return at_once(partial(send, *events, *own[0]), partial(send, *own[1], *reversed(events)))

    before = Event.objects.count()
    for n in range(100):
        one, other = both_ways(n)
        assert (one.accepted + other.accepted, one.duplicates + other.duplicates) == (30, 10)
    assert Event.objects.count() == before + 3000


def test_a_thousand_meetings_of_two_batches_end_in_no_deadlock(shop):
    """The errors that are tried again in silence are counted too, so that none hides there."""
    names = [f"h{n}" for n in range(6)]
    rounds, tried, before = 500, [], Event.objects.count()
    lost = services.lost_a_race

    def counted(error):
        tried.append(error)
        return lost(error)

    def sender(order):
        for _ in range(rounds):
            assert send(*[view(shopper=name) for name in order]).accepted == len(names)

    services.lost_a_race = counted
    try:
        at_once(partial(sender, names), partial(sender, names[::-1]), seconds=300)
    finally:
        services.lost_a_race = lost
    assert tried == []
    assert Event.objects.count() == before + 2 * rounds * len(names)


@pytest.fixture
def meeting(shop, person):
    """Has something done to the shopper in a transaction that is open while an event of theirs is sent."""

    def met(deed):
        done, answers = threading.Event(), []

        def first():
            with transaction.atomic():
                deed()
                done.set()
                time.sleep(0.3)

        def then():
            done.wait(10)
            answers.append(send(view(), view(type="dance"), shopper=person))

        at_once(first, then)
        return answers[0]

    return met


def withdrawal(person):
    return partial(decide_consent, shopper=person, decisions=OFF, source="test")


def test_an_event_sent_while_consent_is_withdrawn_is_dropped(person, meeting):
    before = Event.objects.count()
    outcome = meeting(withdrawal(person))
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"] * 2
    assert Event.objects.count() == before
    assert not RejectedEvent.objects.exists()


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer at a time, whatever we do")
def test_without_holding_the_shopper_that_event_would_be_stored(person, meeting, monkeypatch):
    monkeypatch.setattr(services, "hold", lambda shopper_ids: None)
    assert meeting(withdrawal(person)).accepted == 1
    assert not Consent.objects.filter(shopper=person, granted=True, superseded_at__isnull=True).exists()


def test_an_event_sent_while_its_shopper_is_erased_leaves_nothing(person, meeting):
    outcome = meeting(partial(erase_shopper, shopper=person))
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"] * 2
    assert not Shopper.objects.filter(pk=person.pk).exists()
    for model in (Event, RejectedEvent, DirtyShopper):
        assert not model.objects.filter(shopper_id=person.pk).exists()


def test_an_unknown_shopper_named_by_many_calls_at_once_is_made_once(shop):
    outcomes = at_once(*[partial(send, view(shopper="somebody"), view(shopper="h1")) for _ in range(10)])
    assert [[each.code for each in outcome.rejected] for outcome in outcomes] == [["CONSENT_REQUIRED"]] * 10
    assert sum(outcome.accepted for outcome in outcomes) == 10
    assert Shopper.objects.filter(external_id="somebody").count() == 1


def test_whoever_hears_of_events_finds_them_committed(shop, person):
    """The news waits for the commit, however long that takes."""
    seen = []
    event = view()

    def listener(**kwargs):
        at_once(lambda: seen.append(Event.objects.filter(pk=event["id"]).exists()))

    services.events_recorded.connect(listener, sender=Event, weak=False)
    try:
        with transaction.atomic():
            send(event, shopper=person)
            time.sleep(0.1)
            assert seen == []
        assert seen == [True]
    finally:
        services.events_recorded.disconnect(listener, sender=Event)
