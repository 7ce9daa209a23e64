"""What the counts of answers tell: rates, the effect of personal lists, and nothing of a few shoppers."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from shop_reco.recommendations.models import AnswerCount
from shop_reco.recommendations.reading import FEWEST, answers_view

pytestmark = pytest.mark.django_db


def count(groups, *, days_ago=1, placement="home", arm="personal", recommender="", shoppers=None):
    """A row of these groups, each as lists, lists seen, clicks, purchases."""
    totals = [sum(column) for column in zip(*groups.values(), strict=True)]
    return AnswerCount(
        day=timezone.now().date() - dt.timedelta(days=days_ago),
        placement=placement, arm=arm, recommender=recommender, shoppers=shoppers or len(groups),
        lists=totals[0], impressions=totals[1], clicks=totals[2], purchases=totals[3],
        groups={str(name): list(map(float, counts)) for name, counts in groups.items()},
    )  # fmt: skip


def keep(*rows):
    AnswerCount.objects.bulk_create(rows)


def test_rates_are_over_all_days_and_arms(django_assert_num_queries):
    keep(
        count(dict.fromkeys(range(5), (2, 1, 1, 0)), days_ago=1),
        count(dict.fromkeys(range(5), (2, 2, 0, 0)), days_ago=2),
        count(dict.fromkeys(range(5, 10), (5, 5, 0, 1)), days_ago=2, arm="control"),
        count(dict.fromkeys(range(9), (9, 9, 9, 9)), days_ago=40),
    )
    with django_assert_num_queries(2):
        (home,) = answers_view().placements
    assert (home.lists, home.seen, home.clicks, home.purchases) == (45, 40, 5, 5)
    assert home.click_rate.value == pytest.approx(5 / 45)


def test_the_effect_is_the_difference_between_the_arms():
    keep(
        count({k: (10, 10, 3 + k % 2, 1) for k in range(0, 40)}),
        count({k: (10, 10, 1 + k % 2, 1) for k in range(40, 60)}, arm="control"),
    )
    view = answers_view()
    (effect,) = view.effects
    assert effect.personal.click_rate.value == pytest.approx(0.35)
    assert effect.control.click_rate.value == pytest.approx(0.15)
    assert effect.clicks.value == pytest.approx(0.2)
    assert 0.15 < effect.clicks.low < 0.2 < effect.clicks.high < 0.25
    assert effect.purchases.value == 0
    assert (view.compared, view.untold) == (True, [])


def test_without_a_control_share_there_is_nothing_to_compare():
    keep(count(dict.fromkeys(range(20), (10, 10, 3, 1))))
    view = answers_view()
    assert (view.effects, view.compared, view.untold) == ([], False, [])


def test_a_control_share_of_a_few_is_named_and_not_told():
    keep(count(dict.fromkeys(range(20), (9, 9, 1, 1))), count(dict.fromkeys(range(4), (9, 9, 1, 1)), arm="control"))
    view = answers_view()
    assert (view.effects, view.compared, view.untold) == ([], True, ["home"])


@given(n=st.integers(1, 8), days=st.integers(1, 4))
def test_nothing_is_told_of_a_few_shoppers_whoever_they_are_and_however_often_they_come(n, days):
    AnswerCount.objects.all().delete()
    for day in range(days):
        some = dict.fromkeys(range(n), (3, 3, 2, 1))
        keep(count(some, days_ago=day), count(some, days_ago=day, recommender="item_cf"))
    view = answers_view()
    assert bool(view.placements) == bool(view.recommenders) == (n >= FEWEST)


def days(rates, *, arm="personal", people=range(30), lately=0):
    """A row a day, the last one ``lately`` days ago; who clicks how often is up to chance, the same each time."""
    drawn = np.random.default_rng(7)
    for ago, rate in enumerate(reversed(rates), start=lately):
        keep(count({group: (10, 10, int(drawn.binomial(10, rate)), 0) for group in people}, arm=arm, days_ago=ago))


CONTROL = range(30, 60)


def test_a_fall_is_told_with_its_day_and_what_the_control_share_did_meanwhile():
    days([0.4] * 10 + [0.2] * 4)
    days([0.2] * 14, arm="control", people=CONTROL)
    (fall,) = answers_view().falls
    assert (fall.placement, fall.since) == ("home", timezone.now().date() - dt.timedelta(days=3))
    assert fall.before.value == pytest.approx(0.4, abs=0.03)
    assert fall.after.value == pytest.approx(0.2, abs=0.03)
    assert [rate.value for rate in fall.control] == pytest.approx([0.2, 0.2], abs=0.03)
    assert fall.lists_alone is True


def test_where_the_control_share_fell_as_well_it_is_not_said_to_be_the_lists():
    days([0.4] * 10 + [0.2] * 4)
    days([0.4] * 10 + [0.2] * 4, arm="control", people=CONTROL)
    (fall,) = answers_view().falls
    assert fall.lists_alone is False


def test_a_fall_without_a_control_share_is_told_without_its_cause():
    days([0.4] * 10 + [0.2] * 4)
    (fall,) = answers_view().falls
    assert (fall.control, fall.lists_alone) == (None, None)


@pytest.mark.parametrize(
    "rates",
    [
        [0.3] * 20,  # chance
        [0.4] * 5 + [0.2] * 5 + [0.4] * 5,  # over by now
        [0.2] * 10 + [0.4] * 4,  # a rise
        [0.40] * 10 + [0.39] * 4,  # too little
        [0.4],  # nothing to compare with
    ],
)
def test_what_is_no_fall_is_not_told(rates):
    days(rates)
    assert answers_view().falls == []


def test_no_fall_is_told_of_a_few_shoppers():
    days([0.9] * 10 + [0.1] * 4, people=range(FEWEST - 1))
    assert answers_view().falls == []
