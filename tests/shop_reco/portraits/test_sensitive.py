"""A sensitive category is named in no portrait, the brands bought in it and the words of its goods neither."""

from __future__ import annotations

from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.reading import events_behind, portrait_of
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.products.models import Category
from shop_reco.products.services import set_sensitive


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


def keys_of(person, now):
    return {each.key for each in portrait_of(shopper=person, now=now).interests}
