"""Trending, by hand."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import Trending
from tests.reco_engine.conftest import DAY


def shop(lines):
    """Lines of (item, how many users, on which day); every user is another."""
    rows = [(item, day * DAY) for item, takers, day in lines for _ in range(takers)]
    items, times = zip(*rows, strict=True)
    return Interactions.from_arrays(range(len(rows)), items, times)


def test_a_rise_is_takers_lately_over_those_to_be_expected():
    data = shop([("rising", 10, 0), ("steady", 30, 0), ("rising", 30, 60), ("steady", 30, 60)])
    model = Trending(days=14, half_life=60, calm=5).fit(data, at=60 * DAY)
    rising, steady = model.score([History([])])[0]
    # a quarter and three quarters of the 60 takers lately were to be expected
    assert rising == pytest.approx(math.log(35 / 20))
    assert steady == pytest.approx(math.log(35 / 50))


def test_one_sale_of_a_new_item_is_less_of_a_trend_than_a_crowd():
    data = shop([("old", 100, 0), ("old", 60, 60), ("new", 1, 60), ("hit", 40, 60)])
    model = Trending().fit(data, at=60 * DAY)
    new, hit = (float(model.score([History([])], items=[item])[0, 0]) for item in ("new", "hit"))
    assert new == pytest.approx(math.log(11 / 10))
    assert hit == pytest.approx(math.log(50 / 10))


def test_more_sales_alone_are_no_trend():
    data = shop([("a", 5, 0), ("b", 50, 0), ("a", 20, 60), ("b", 200, 60)])
    assert Trending().fit(data, at=60 * DAY).scores_.tolist() == pytest.approx([0.0, 0.0])


def test_where_all_is_of_these_days_everything_is_as_expected():
    data = shop([("a", 3, 0), ("b", 9, 1)])
    assert Trending().fit(data, at=2 * DAY).scores_.tolist() == [0.0, 0.0]


def test_a_user_who_buys_it_all_week_is_one_taker():
    eager = Interactions.from_arrays([1] * 7 + [2, 3], ["a"] * 7 + ["b", "a"], [*(60 + n for n in range(7)), 60, 0])
    one = Trending(days=0.0005).fit(eager)  # 43 s: the seven purchases are lately, the one of 0 s is not
    assert one.scores_.tolist() == pytest.approx([math.log(11 / 12), math.log(11 / 10)])


def test_the_reason_of_a_trend_is_its_whole_score_and_an_unknown_item_has_none():
    model = Trending(calm=5).fit(shop([("a", 10, 0), ("b", 10, 0), ("a", 30, 60), ("b", 10, 60)]), at=60 * DAY)
    assert model.item_ids.tolist() == ["a", "b"]
    (reason,) = model.explain(History([]), "a")
    assert (reason.kind, reason.points) == ("popular", pytest.approx(math.log(35 / 25), rel=1e-6))
    assert model.explain(History([]), "c") == ()


@pytest.mark.parametrize("setting", ["days", "half_life", "calm"])
def test_a_setting_that_is_not_above_zero_is_refused(setting):
    with pytest.raises(BadInputError, match=setting):
        Trending(**{setting: 0.0}).fit(shop([("a", 1, 0)]))


def test_regulars_who_come_back_are_no_trend():
    regulars = [(user, "staple", day) for user in range(20) for day in (0, 60)]
    others = [(100 + user, "news", 60) for user in range(20)]
    users, items, days = zip(*regulars, *others, strict=True)
    model = Trending(calm=5).fit(Interactions.from_arrays(users, items, [day * DAY for day in days]), at=60 * DAY)
    news, staple = model.score([History([])], items=["news", "staple"])[0]
    # 20 newcomers, all to be expected where the earlier takers were
    assert news == pytest.approx(math.log(25 / 5))
    assert staple == pytest.approx(math.log(5 / 25))
