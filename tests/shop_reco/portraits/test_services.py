"""A refreshed portrait says what its shopper does."""

from __future__ import annotations

from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import refresh_dirty


def test_the_portrait_of_a_shopper_names_what_they_buy(trained, person):
    refresh_dirty()
    view = portrait_of(shopper=person, now=trained.now)
    assert view.orders == 8
    assert view.spent == 20
    assert view.interests[0].key in {"Tea", "B0", "B1", "B2"}
