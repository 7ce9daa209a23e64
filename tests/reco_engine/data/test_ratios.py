"""Rates with intervals over people."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.ratios import difference, ratio
from reco_engine.errors import BadInputError


def test_a_rate_and_its_variance_worked_out_by_hand():
    hits, lists = np.array([2.0, 0.0] * 5), np.full(10, 4.0)
    rate = ratio(hits, lists)
    # 10 of 40; each group is 1 off the 1 expected of it: 10/9 * 10 / 40**2
    assert rate.value == 0.25
    assert rate.variance == pytest.approx(10 / 9 * 10 / 1600)
    low, high = rate.interval()
    assert (high - low) / 2 == pytest.approx(2.262157 * math.sqrt(rate.variance), rel=1e-6)  # Student, 9 degrees


def test_with_too_few_people_or_no_hit_there_is_a_rate_and_no_interval():
    few = ratio(np.ones(9), np.full(9, 2.0))
    assert (few.value, few.interval()) == (0.5, None)
    none = ratio(np.zeros(64), np.ones(64))
    assert (none.value, none.interval()) == (0.0, None)
    assert math.isnan(ratio(np.zeros(3), np.zeros(3)).value)


def test_a_difference_without_one_of_the_two_intervals_has_none():
    known, unknown = ratio(np.arange(20.0), np.full(20, 30.0)), ratio(np.ones(3), np.ones(3))
    assert difference(known, unknown).interval() is None
    assert difference(known, known).value == 0
    assert difference(known, known).variance == pytest.approx(2 * known.variance)


def test_groups_of_different_shapes_are_refused():
    with pytest.raises(BadInputError, match="same groups"):
        ratio(np.ones(3), np.ones(4))


def test_intervals_of_busy_and_quiet_people_cover_the_truth_as_often_as_they_say():
    rng, covered, tries = np.random.default_rng(7), 0, 1000
    for _ in range(tries):
        rates, lists = rng.beta(2, 18, 600), rng.geometric(0.2, 600)
        hits = rng.binomial(lists, rates)
        groups = rng.integers(0, 64, 600)
        low, high = ratio(np.bincount(groups, hits, 64), np.bincount(groups, lists, 64)).interval()
        covered += low <= 0.1 <= high
    assert 0.93 <= covered / tries <= 0.97
