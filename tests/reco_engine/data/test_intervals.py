"""Intervals: seeded, and as wide as theory says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data import intervals
from reco_engine.data.intervals import Interval, bootstrap_interval, bootstrap_intervals, paired_interval
from reco_engine.errors import BadInputError


def test_the_interval_of_a_mean_is_as_wide_as_the_normal_one():
    figures = np.random.default_rng(0).normal(5.0, 2.0, 1000)
    interval = bootstrap_interval(figures, seed=1, n_samples=4000)
    error = figures.std() / math.sqrt(1000)
    assert interval.mean == pytest.approx(figures.mean())
    assert interval.high - interval.mean == pytest.approx(1.96 * error, rel=0.06)
    assert interval.mean - interval.low == pytest.approx(1.96 * error, rel=0.06)


def test_a_sure_figure_has_an_interval_of_no_width():
    assert bootstrap_interval([3.0, 3.0, 3.0]) == Interval(3.0, 3.0, 3.0)


def test_less_confidence_is_a_narrower_interval():
    figures = np.arange(100.0)
    wide, narrow = bootstrap_interval(figures), bootstrap_interval(figures, confidence=0.5)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval_whatever_the_size_of_a_block(monkeypatch):
    figures = np.random.default_rng(0).random((50, 2))
    once = bootstrap_intervals(figures, seed=3)
    monkeypatch.setattr(intervals, "CELLS", 170)
    assert bootstrap_intervals(figures, seed=3)[0].low == pytest.approx(once[0].low, abs=1e-12)
    assert bootstrap_intervals(figures, seed=4) != once


def test_a_shopper_without_a_figure_does_not_count():
    assert bootstrap_interval([1.0, math.nan, 3.0]).mean == 2.0
    both = bootstrap_intervals([[1.0, math.nan], [1.0, 5.0]])
    assert [interval.mean for interval in both] == [1.0, 5.0]


@pytest.mark.parametrize("figures", [[], [math.nan]])
def test_without_a_figure_there_is_no_interval(figures):
    assert all(map(math.isnan, vars(bootstrap_interval(figures)).values()))


def test_a_small_gain_of_every_shopper_is_sure_when_paired():
    base = np.random.default_rng(0).random(200)
    better = base + 0.01
    assert paired_interval(better, base).low == pytest.approx(0.01)
    assert bootstrap_interval(better).low < bootstrap_interval(base).high
    swapped = paired_interval(base, better)
    assert swapped.high == pytest.approx(-0.01)


def test_measures_of_other_shoppers_cannot_be_paired():
    with pytest.raises(BadInputError, match="same users"):
        paired_interval([1.0, 2.0], [1.0])


def test_bad_questions_are_refused():
    with pytest.raises(BadInputError, match="one row a user"):
        bootstrap_intervals([1.0, 2.0])
    with pytest.raises(BadInputError, match="confidence"):
        bootstrap_interval([1.0], confidence=95)
