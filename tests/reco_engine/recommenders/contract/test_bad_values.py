"""What makes no sense is refused by name before any recommender learns from it or scores it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from tests.reco_engine.conftest import AT, HISTORY


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", ["timestamps", "weights"])
def test_rows_that_are_no_numbers_are_refused_by_name(rows, column, value):
    spoiled = rows[column].copy()
    spoiled[3] = value
    with pytest.raises(BadInputError, match=column):
        Interactions.from_arrays(**{**rows, column: spoiled})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", ["timestamps", "weights"])
def test_a_history_that_is_no_numbers_is_refused_by_name(column, value):
    with pytest.raises(BadInputError, match=column):
        History([1, 2], **{column: [1.0, value]})


def test_negative_weights_are_refused(rows):
    with pytest.raises(BadInputError, match="weights"):
        Interactions.from_arrays(**{**rows, "weights": rows["weights"] - 2})
    with pytest.raises(BadInputError, match="weights"):
        History([1], None, [-1.0])


def test_columns_of_other_lengths_are_refused(rows):
    with pytest.raises(BadInputError, match="items must have one value per user"):
        Interactions.from_arrays(rows["users"], rows["items"][:-1])
    with pytest.raises(BadInputError, match="weights"):
        History([1, 2], None, [1.0])


def test_an_instant_that_is_no_number_is_refused(kind, model, fit):
    # Content and buy-again may learn without looking at ages; popularity and trending say the same at any instant.
    if kind != "buy_again":
        with pytest.raises(BadInputError, match="at must be"):
            fit(at=math.nan)
    if kind not in ("popularity", "trending"):
        with pytest.raises(BadInputError, match="at must be"):
            model.score([History(list(HISTORY.items), HISTORY.timestamps)], at=math.nan)


@pytest.mark.parametrize("amount", [1e-300, 1e30])
def test_weights_of_any_size_give_finite_scores(fit, rows, amount):
    odd = rows["weights"].copy()
    odd[::50] = amount
    learned = fit(Interactions.from_arrays(**{**rows, "weights": odd}))
    heavy = History([3, 7], None, [amount, 1.0])
    scores = learned.score([HISTORY, heavy], at=AT)
    assert not np.isinf(scores).any()
    assert np.isfinite(scores).any()
