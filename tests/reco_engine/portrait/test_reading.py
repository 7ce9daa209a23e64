"""What a portrait says, worked out by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from reco_engine.portrait import reading
from reco_engine.portrait.bands import band_of, middle_of
from reco_engine.portrait.builder import draw
from reco_engine.portrait.grains import PortraitEvent
from reco_engine.portrait.portrait import Portrait, Silence

NOON = dt.datetime(2024, 5, 20, 12, tzinfo=dt.UTC)


def at(days_ago):
    return int((NOON - dt.timedelta(days=days_ago)).timestamp())


def bought(days_ago, category=("Shop", "Tea"), order="o", quantity=1, amount=250, **more):
    return PortraitEvent(
        type="purchase", occurred_at=at(days_ago), category=category, order=f"{order}{days_ago}", quantity=quantity,
        amount=amount, currency="USD", **more,
    )  # fmt: skip


def weights(portrait, **more):
    return {each.key: each.weight for each in reading.interests(portrait, NOON.timestamp(), **more)}


def test_a_purchase_of_today_is_one_and_halves_in_thirty_days():
    portrait = draw([bought(0), bought(30), bought(60, ("Shop", "Soap"))])
    assert weights(portrait) == {"Shop": 1.75, "Shop > Tea": 1.5, "Shop > Soap": 0.25}


def test_what_is_dated_ahead_counts_as_of_today():
    assert weights(draw([bought(-3)])) == {"Shop > Tea": 1.0}


def test_a_category_with_one_child_is_left_to_the_child():
    assert weights(draw([bought(0, ("Shop", "Tea", "Green"))])) == {"Shop > Tea > Green": 1.0}


def test_what_may_not_be_told_by_now_is_not_told():
    portrait = draw([bought(0, brand="B", text="green leaves"), bought(0, ("Shop", "Soap"))])
    assert weights(portrait, silence=Silence(frozenset({"Shop > Tea"}), frozenset({"leaves"}))) == {
        "Shop > Soap": 1.0, "B": 1.0, "green": 1.0,
    }  # fmt: skip


def test_baskets_and_intervals_are_the_typical_ones():
    portrait = draw([bought(0, quantity=2), bought(0, quantity=1), bought(7), bought(9), bought(40, quantity=9)])
    assert reading.basket(portrait) == 2.0
    assert reading.interval(portrait) == 7.0
    assert reading.n_orders(portrait) == 4
    assert reading.interval(draw([bought(3)])) is None
    assert reading.basket(Portrait()) is None


def test_money_by_month_ends_with_the_current_one():
    portrait = draw([bought(0, amount=100), bought(25, amount=70), bought(700, amount=5)])
    months = reading.spent_by_month(portrait, NOON.timestamp(), "USD")
    assert (len(months), months[0][0], months[-1]) == (12, dt.date(2023, 6, 1), (dt.date(2024, 5, 1), 100))
    assert months[-2] == (dt.date(2024, 4, 1), 70)
    assert reading.spent(portrait) == {"USD": 175}


def test_price_bands_tell_what_is_usually_paid_in_a_category():
    portrait = draw([bought(n, amount=200) for n in range(19)] + [bought(20, amount=9000)])
    (band,) = reading.price_bands(portrait)
    assert (band.category, band.pieces) == ("Shop > Tea", 20)
    assert band.typical == middle_of(band_of(200))
    assert reading.price_bands(portrait, silence=Silence(frozenset({"Shop"}))) == []


@pytest.mark.parametrize(
    ("days", "name"),
    [([0], "new"), ([0, 5], "regular"), ([40, 50], "lapsing"), ([100, 120], "gone"), (range(10), "loyal")],
)
def test_segments_by_rule_go_by_how_lately_and_how_often(days, name):
    assert reading.by_rule(draw([bought(each) for each in days]), NOON.timestamp()) == name


def test_the_strongest_categories_are_the_deepest_and_the_same_at_any_time():
    portrait = draw([bought(90, ("Shop", "Tea"))] * 3 + [bought(0, ("Shop", "Soap"))])
    assert reading.strongest_categories(portrait) == ["Shop > Soap", "Shop > Tea"]


def test_counts_of_another_format_are_refused():
    with pytest.raises(ValueError, match="drawn anew"):
        Portrait.from_json({"interests": {}, "spent": 0})
