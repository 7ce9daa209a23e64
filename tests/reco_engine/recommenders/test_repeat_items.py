"""What all shoppers' repeats say of an item, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.recommenders.habits import days_of
from reco_engine.recommenders.repeat_items import repeat_items


def features(purchases, n_items):
    """Of (shopper, item, age) lines, a pair for each shopper and item."""
    pairs = sorted({line[:2] for line in purchases})
    numbers = np.asarray([pairs.index(line[:2]) for line in purchases])
    ages = np.asarray([line[2] for line in purchases], dtype=np.float64)
    days = days_of(numbers, ages, np.ones(len(purchases)), n_pairs=len(pairs))
    return repeat_items(days, np.asarray([item for _, item in pairs]), n_items)


def test_the_share_of_takers_who_repeat_leans_on_that_of_all_items():
    found = np.exp(features([("a", 0, 1), ("a", 0, 9), ("b", 0, 1), ("a", 1, 1)], 3)[:, 0])
    average = (1 + 0.5) / (3 + 1)
    assert found.tolist() == pytest.approx([(1 + 5 * average) / 7, (5 * average) / 6, average])


def test_an_item_of_this_week_rises_and_one_of_last_season_falls():
    now, then, never = features([("a", 0, 0), ("b", 1, 90)], 3)
    assert now[1] > then[1] > never[1]
    assert now[1:].tolist() == pytest.approx([math.log(0.01 + 1 / 2), math.log(2)])
    assert then[1] == pytest.approx(math.log(0.01 + 2 ** (-90 / 7) / 1.5))


def test_one_shopper_who_buys_each_day_is_one_taker():
    assert features([("a", 0, age) for age in range(20)], 1)[0, 2] == pytest.approx(math.log(2))
