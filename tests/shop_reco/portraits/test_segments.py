"""What staff are told of groups: never of few shoppers, and how the groups grew."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from shop_reco.portraits.models import Segmentation
from shop_reco.portraits.segments import groups_of

NAMES = [["often"], ["seldom"], ["lately"]]
COUNTS = st.integers(1, 40)


@pytest.fixture(autouse=True)
def five(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 5}


def content(sizes, things=(), tastes=(), **more):
    n = len(sizes)
    rows = [list(things)] * n
    return {
        "middle": [1.0] * 4, "spread": [1.0] * 4, "centres": [[0.0] * 4] * n, "names": NAMES[:n], "sizes": sizes,
        "silhouette": 0.5, "tastes": [list(tastes)] * n, "days": 90,
        "typical": [{"products": [], "categories": each} for each in rows], **more,
    }  # fmt: skip


def night(sizes, days_ago=0, live=False, **more):
    made = Segmentation.objects.create(n_shoppers=sum(sizes), content=content(sizes, **more), live=live)
    Segmentation.objects.filter(pk=made.pk).update(fitted_at=dt.datetime(2026, 5, 20 - days_ago, 3, tzinfo=dt.UTC))
    return Segmentation.objects.get(pk=made.pk)


@tried(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    sizes=st.lists(COUNTS, min_size=1, max_size=3),
    rest=st.integers(0, 40),
    things=st.lists(st.tuples(st.sampled_from("abcdef"), COUNTS, st.floats(1.1, 9)), max_size=4),
    tastes=st.lists(st.tuples(st.sampled_from("abcdef"), COUNTS), max_size=4),
)
def test_nothing_is_told_that_fewer_than_five_shoppers_stand_behind(db, sizes, rest, things, tastes):
    """However it was stored: the floor may have been a lower one on the night when it was found."""
    n = sum(sizes)
    found = groups_of(Segmentation(n_shoppers=n, content=content(sizes, things, tastes, shoppers=n + rest)))
    assert [each.n for each in found.groups] == [size for size in sizes if size >= 5]
    assert found.rest == (rest if rest >= 5 else None)
    for group in found.groups:
        assert [each.n for each in group.categories] == [n for _name, n, _lift in things if n >= 5]
        assert [n for _name, n in group.tastes] == [n for _name, n in tastes if n >= 5]


def test_the_floor_is_the_shops_own(db, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 12}
    found = groups_of(Segmentation(n_shoppers=30, content=content([20, 10], [("a", 11, 2.0)], [("b", 11)])))
    assert [(each.n, each.categories, each.tastes) for each in found.groups] == [(20, [], [])]


def test_habits_are_told_in_days_orders_money_and_pieces(db):
    stored = content([10], shoppers=10) | {"middle": [2.0, 1.0, 5.0, 0.5], "centres": [[0.0, 1.0, 0.0, 0.0]]}
    (group,) = groups_of(Segmentation(n_shoppers=10, content=stored)).groups
    assert group.habit.away == pytest.approx(6.389, abs=0.001)  # e^2 - 1
    assert group.habit.orders == pytest.approx(6.389, abs=0.001)  # e^(1 + 1) - 1
    assert str(group.habit.spent) == "1.47"  # e^5 - 1 hundredths
    assert group.habit.basket == pytest.approx(0.649, abs=0.001)


def test_a_group_is_followed_night_by_night_by_its_name(db):
    for ago, sizes in ((3, [10, 30]), (2, [20, 20]), (1, [3, 37])):
        night(sizes, ago)
    often, seldom = groups_of(night([30, 10], live=True)).groups
    assert [share for _day, share in often.trend.rows] == ["25.0%", "50.0%", "75.0%"]  # three are too few to tell
    assert [share for _day, share in seldom.trend.rows] == ["75.0%", "50.0%", "92.5%", "25.0%"]
    assert often.trend.points == "0.0,26.7 93.3,13.3 280.0,0.0"


def test_one_night_is_no_trend(db):
    (group,) = groups_of(night([30], live=True)).groups
    assert group.trend is None


def test_what_an_earlier_version_found_is_shown_without_what_is_typical(db):
    stored = content([10], tastes=[("Tea", 9)])
    del stored["typical"], stored["days"]
    found = groups_of(Segmentation(n_shoppers=10, content=stored))
    assert (found.days, found.groups[0].products, found.groups[0].tastes) == (None, [], [("Tea", 9)])
