"""A sensitive category is named in no portrait, the brands bought in it neither."""

from __future__ import annotations

from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.products.models import Category
from shop_reco.products.services import set_sensitive


def test_a_category_that_becomes_sensitive_is_gone_from_the_portrait_at_once(shop, person):
    refresh_dirty()
    edit_interests(shopper=person, pin=[("category", "Tea")])
    assert "Tea" in keys_of(person, shop.now)
    set_sensitive(categories=[Category.objects.get(name="Tea")], sensitive=True)
    assert "Tea" not in keys_of(person, shop.now)
    assert "Cheese" in keys_of(person, shop.now)


def test_the_portraits_that_knew_it_are_drawn_anew_and_no_others(shop, person):
    refresh_dirty()
    set_sensitive(categories=Category.objects.filter(name__in=["Tea", "Cheese"]), sensitive=True)
    assert 0 < refresh_dirty() <= 30
    assert keys_of(person, shop.now) == set()
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=False)
    assert refresh_dirty() == 20
    assert "Tea" in keys_of(person, shop.now)


def keys_of(person, now):
    return {each.key for each in portrait_of(shopper=person, now=now).interests}
