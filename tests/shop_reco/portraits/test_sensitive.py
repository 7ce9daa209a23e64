"""A sensitive category is named in no portrait, the brands bought in it and the words of its goods neither."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import OperationalError, connection, transaction

from shop_reco.events.models import DirtyShopper
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits import services
from shop_reco.portraits.models import SilenceChange
from shop_reco.portraits.reading import events_behind, portrait_of
from shop_reco.portraits.services import edit_interests, mark_silenced, refresh_dirty
from shop_reco.products.models import Category
from shop_reco.products.services import set_sensitive
from shop_reco.users.models import Shopper
from tests.threads import at_once


def test_a_category_that_becomes_sensitive_is_gone_from_the_portrait_at_once(shop, person):
    refresh_dirty()
    edit_interests(shopper=person, pin=[("category", "Tea")])
    assert {"Shop > Tea", "tea"} <= keys_of(person, shop.now)
    set_sensitive(categories=[Category.objects.get(name="Tea")], sensitive=True)
    assert keys_of(person, shop.now).isdisjoint({"Shop > Tea", "tea"})
    assert "Shop > Cheese" in keys_of(person, shop.now)
    assert [each.category for each in portrait_of(shopper=person, now=shop.now).prices] == ["Shop > Cheese"]


def test_the_portraits_that_knew_it_are_drawn_anew_and_no_others(shop, person):
    refresh_dirty()
    set_sensitive(categories=Category.objects.filter(name__in=["Tea", "Cheese"]), sensitive=True)
    assert 0 < refresh_dirty() <= 30
    assert keys_of(person, shop.now) == set()
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=False)
    assert refresh_dirty() == 20
    assert "Shop > Tea" in keys_of(person, shop.now)


def test_a_search_for_what_a_sensitive_category_is_called_is_no_keyword(shop, person):
    search = {"id": "5f0c7f36-58a5-4c08-9a6a-1f3a2c1d9b11", "type": "search", "query": "strong cheese please"}
    record_events(events=[search], shopper=person, sender=Sender.BROWSER)
    refresh_dirty()
    assert {"strong", "cheese"} <= keys_of(person, shop.now)
    set_sensitive(categories=Category.objects.filter(name="Cheese"), sensitive=True)
    assert "cheese" not in keys_of(person, shop.now)
    refresh_dirty()
    assert "cheese" not in keys_of(person, shop.now)
    assert "strong" in keys_of(person, shop.now)


def test_the_events_behind_a_number_do_not_name_sensitive_goods(shop, person):
    refresh_dirty()
    told = events_behind(shopper=person, kind="type", key="purchase")
    assert all(each.product for each in told.events)
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    found = events_behind(shopper=person, kind="type", key="purchase")
    assert found.counts == {"purchase": 8}
    assert {each.product.category.name for each in found.events if each.product} == {"Cheese"}
    assert events_behind(shopper=person, kind="category", key="Shop > Tea").counts == {}


def test_whose_portraits_knew_it_is_found_a_few_at_a_time_and_never_twice(shop, person, monkeypatch):
    refresh_dirty()
    monkeypatch.setattr(services, "MARKED_AT_ONCE", 7)
    marked, mark = [], services.mark_shoppers

    def counted(*, shopper_ids):
        if len(marked) == 2 and not failed:
            failed.append(True)
            raise OperationalError("lock timeout")
        marked.append(sorted(shopper_ids))
        mark(shopper_ids=shopper_ids)

    failed = []
    monkeypatch.setattr(services, "mark_shoppers", counted)
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    assert not DirtyShopper.objects.exists()
    with pytest.raises(OperationalError):
        mark_silenced()
    people = sorted(Shopper.objects.values_list("pk", flat=True))
    assert SilenceChange.objects.get().marked_up_to == people[13]
    # no hint came through, and the sweep of the minute goes on from there
    assert refresh_dirty() == 20
    assert not SilenceChange.objects.exists()
    assert [len(each) <= 7 for each in marked] == [True] * 5
    in_turn = [pk for each in marked for pk in each]
    assert in_turn == sorted(set(in_turn))
    assert refresh_dirty() == 0


def test_those_who_are_marked_are_drawn_though_others_cannot_be_marked_now(shop, person, monkeypatch):
    refresh_dirty()
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    record_events(events=[view()], shopper=person, sender=Sender.BROWSER)

    def failing():
        raise OperationalError("lock timeout")

    monkeypatch.setattr(services, "mark_silenced", failing)
    assert refresh_dirty() == 1
    assert SilenceChange.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, whatever we do")
@pytest.mark.parametrize("in_its_transaction", [False, True])
def test_events_do_not_wait_for_a_category_that_becomes_sensitive(shop, person, in_its_transaction):
    """They would if whoever says so marked the shoppers as well."""
    refresh_dirty()
    silenced, recorded, waited = threading.Event(), threading.Event(), []

    def staff():
        with transaction.atomic():
            set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
            if in_its_transaction:
                mark_silenced()
            silenced.set()
            waited.append(not recorded.wait(1))

    def browser():
        silenced.wait(10)
        outcome = record_events(events=[view()], shopper=person, sender=Sender.BROWSER)
        recorded.set()
        return outcome.accepted

    assert at_once(staff, browser)[1] == 1
    assert waited == [in_its_transaction]
    refresh_dirty()
    assert "Shop > Tea" not in keys_of(person, shop.now)


def view():
    return {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}


def keys_of(person, now):
    return {each.key for each in portrait_of(shopper=person, now=now).interests}
