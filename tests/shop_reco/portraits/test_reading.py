"""A portrait is read in a few queries, and each of its numbers leads to the events behind it."""

from __future__ import annotations

import datetime as dt

import pytest

from shop_reco.events.models import Event
from shop_reco.events.services import track
from shop_reco.portraits.folding import fold_events
from shop_reco.portraits.reading import events_behind, portrait_of
from shop_reco.portraits.services import edit_interests, refresh_portrait
from shop_reco.users.models import Shopper


def test_reading_takes_five_queries_however_much_there_is(shop, busy, django_assert_num_queries):
    refresh_portrait(shopper_id=busy.pk)
    edit_interests(shopper=busy, pin=[("brand", f"b{n}") for n in range(100)])
    with django_assert_num_queries(5):
        view = portrait_of(shopper=busy, now=shop.now)
    assert view.n_events == 400
    assert {each.currency for each in view.spending} == {"EUR", "USD"}
    assert len(view.months) == 12


def test_every_number_agrees_with_the_events_behind_it(shop, busy):
    refresh_portrait(shopper_id=busy.pk)
    view = portrait_of(shopper=busy, now=shop.now)
    for kind, n in view.types.items():
        assert events_behind(shopper=busy, kind="type", key=kind).counts == {kind: n}
    for hour in (0, 50, 167):
        assert sum(events_behind(shopper=busy, kind="hour", key=str(hour)).counts.values()) == view.hours[hour]
    for channel, n in view.channel_counts.items():
        assert sum(events_behind(shopper=busy, kind="channel", key=channel).counts.values()) == n
    month, amount = view.months[-2]
    behind = events_behind(shopper=busy, kind="spent", key=f"USD:{month:%Y-%m}", first=100)
    money = [(each.amount.amount, each.type) for each in behind.events]
    assert sum(-paid if kind == "refund" else paid for paid, kind in money) == amount
    band = view.prices[0]
    pieces = events_behind(shopper=busy, kind="price", key=band.category, first=400).events
    assert sum(each.quantity for each in pieces if each.amount.currency == band.currency) == band.pieces


def test_the_events_behind_an_interest_come_newest_first(shop, person, django_assert_num_queries):
    track(shopper=person, type="view_item", product=shop.products["Tea-3"])
    with django_assert_num_queries(6):
        behind = events_behind(shopper=person, kind="category", key="Shop > Tea", first=2)
    assert behind.counts == {"purchase": 6, "view_item": 1}
    assert behind.events[0].product.sku == "Tea-3"
    assert behind.events[0].occurred_at > behind.events[1].occurred_at
    assert events_behind(shopper=person, kind="keyword", key="tea").counts == {"purchase": 6, "view_item": 1}
    assert sum(events_behind(shopper=person, kind="brand", key="B0").counts.values()) > 0


def test_a_shopper_sees_nobody_elses_events(shop, person):
    other = Shopper.objects.get(external_id="h1")
    Event.objects.filter(shopper=other).delete()
    assert events_behind(shopper=other, kind="type", key="purchase").counts == {}
    assert events_behind(shopper=person, kind="type", key="purchase").counts == {"purchase": 8}


def test_folded_days_are_told_of(shop, busy):
    whole = events_behind(shopper=busy, kind="category", key="Shop > Tea")
    fold_events(now=shop.now + dt.timedelta(days=900))
    left = events_behind(shopper=busy, kind="category", key="Shop > Tea")
    assert left.counts == {}
    assert 0 < left.folded_days <= sum(whole.counts.values())


def test_a_kind_that_is_none_is_refused_with_those_that_are(shop, person):
    with pytest.raises(ValueError, match="category, brand, keyword"):
        events_behind(shopper=person, kind="dance", key="x")
