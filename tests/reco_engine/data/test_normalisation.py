"""Normalisation: fitted once, the same for live values, and never NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.data.normalisation import Log, MinMax, TimeDecay, ZScore
from reco_engine.errors import BadInputError

DAY = 86_400
FITS = [MinMax.fit, ZScore.fit, Log.fit, lambda values: TimeDecay.fit(values, half_life=1.0)]
NUMBERS = st.lists(st.floats(-1e12, 1e12), max_size=20)


def test_min_max_by_hand_and_live_values_beyond_are_cut():
    scale = MinMax.fit([10, 20, 15])
    assert scale.apply([10, 15, 20]).tolist() == [0, 0.5, 1]
    assert scale.apply([5, 99]).tolist() == [0, 1]


def test_z_scores_by_hand():
    scale = ZScore.fit([2, 4, 4, 4, 5, 5, 7, 9])  # mean 5, deviation 2
    assert scale.apply([5, 9, 0]).tolist() == [0, 2, -2.5]


def test_logarithms_by_hand():
    assert Log.fit([3.0, 1.0]).apply([0, math.e - 1, -7]).tolist() == pytest.approx([0, 1, 0])
    assert Log.fit([-2.0, 5.0]).apply([-2, math.e - 3]).tolist() == pytest.approx([0, 1])


def test_time_decay_halves_with_every_half_life_before_the_newest_training_event():
    decay = TimeDecay.fit([0, 10 * DAY], half_life=5.0)
    assert decay.apply([10 * DAY, 5 * DAY, 0, 11 * DAY]).tolist() == [1, 0.5, 0.25, 1]
    assert TimeDecay.fit([0, 10 * DAY], half_life=5.0, at=15 * DAY).apply([10 * DAY]).tolist() == [0.5]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_unknown_values_are_refused(fit, bad):
    with pytest.raises(BadInputError, match="fill or drop"):
        fit([1.0, bad])
    with pytest.raises(BadInputError, match="fill or drop"):
        fit([1.0, 2.0]).apply([bad])


@pytest.mark.parametrize("half_life", [0.0, -1.0])
def test_a_half_life_of_no_time_is_refused(half_life):
    with pytest.raises(BadInputError, match="half_life"):
        TimeDecay.fit([1.0], half_life=half_life)


@pytest.mark.parametrize("fit", [MinMax.fit, ZScore.fit])
@pytest.mark.parametrize("training", [[], [0.1] * 7])
def test_constant_and_empty_columns_are_zeros(fit, training):
    assert fit(training).apply([0.1, 5.0]).tolist() == [0, 0]


@pytest.mark.parametrize("fit", FITS)
@given(training=NUMBERS, live=NUMBERS)
def test_whatever_was_learnt_no_live_value_becomes_nan(fit, training, live):
    result = fit(training).apply(live)
    assert result.shape == (len(live),)
    assert np.all(np.isfinite(result))


@given(training=NUMBERS.filter(bool))
def test_min_max_keeps_the_order_of_training_values(training):
    result = MinMax.fit(training).apply(sorted(training))
    assert np.all(np.diff(result) >= 0)
    assert np.all((result >= 0) & (result <= 1))
