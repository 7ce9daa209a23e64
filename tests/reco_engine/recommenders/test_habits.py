"""A shopper's days with an item, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.recommenders.habits import FAINT, days_of, faded_counts, habits_of


def days(pairs, ages, weights=None, **options):
    amounts = np.ones(len(pairs)) if weights is None else np.asarray(weights, dtype=np.float64)
    n_pairs = max(pairs) + 1
    return days_of(np.asarray(pairs), np.asarray(ages, dtype=np.float64), amounts, n_pairs=n_pairs, **options)


def test_two_purchases_of_one_day_are_one_day_and_the_heavier_counts():
    found = days([0, 0, 0], [3.2, 3.9, 5.0], [0.3, 1.0, 0.5])
    assert found.ages.tolist() == [3.2, 5.0]
    assert found.weights.tolist() == [1.0, 0.5]


def test_the_same_day_of_two_items_is_a_day_of_each():
    assert days([1, 0, 1], [2.0, 2.1, 9.0]).pairs.tolist() == [0, 1, 1]


def test_purchases_without_dates_all_count():
    assert faded_counts(days([0, 0], [0.0, 0.0], dated=False), 30.0).tolist() == [2.0]


def test_a_day_counts_half_after_a_half_life():
    assert faded_counts(days([0, 0, 1], [0.0, 30.0, 60.0]), 30.0).tolist() == [1.5, 0.25]


def test_an_item_bought_every_ten_days_and_last_twenty_days_ago_is_two_intervals_away():
    habits = habits_of(days([0, 0, 0], [20.0, 30.0, 40.0]), np.asarray([20.0]))
    count = 0.5 + 2**-1.5 + 0.25
    assert habits[0].tolist() == pytest.approx([math.log(count + FAINT), math.log(2.0 + 2.0)])


def test_an_item_bought_once_has_no_interval():
    habits = habits_of(days([0], [50.0]), np.asarray([50.0]))
    assert habits[0].tolist() == pytest.approx([math.log(0.5 + FAINT), 0.0])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4000)), min_size=1, max_size=40), st.randoms())
def test_the_order_of_the_purchases_changes_nothing(purchases, random):
    shuffled = random.sample(purchases, len(purchases))
    one, other = (
        days_of(
            np.asarray([pair for pair, _ in lines]),
            np.asarray([age / 10 for _, age in lines]),
            np.ones(len(lines)),
            n_pairs=4,
        )
        for lines in (purchases, shuffled)
    )
    np.testing.assert_array_equal(one.pairs, other.pairs)
    np.testing.assert_array_equal(one.ages, other.ages)
    assert len({(pair, age // 10) for pair, age in purchases}) == one.pairs.size
