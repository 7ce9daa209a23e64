"""Item-based CF, by hand and for any rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import ItemCF
from tests.reco_engine.conftest import DAY


def test_textbook_cosine_of_two_items_by_hand():
    # a = (1, 1, 0), b = (1, 1, 1), so a.b / (|a||b|) = 2 / sqrt(2 * 3)
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    model = ItemCF(activity=0, source_exponent=0.5, target_exponent=0.5).fit(interactions)
    (score,) = model.score([History(["a"])], items=["b"])[0]
    assert score == pytest.approx(2 / math.sqrt(6))


def test_a_pair_with_too_few_shoppers_behind_it_is_never_used():
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    model = ItemCF(min_support=3).fit(interactions)
    assert model.score([History(["a"])], items=["b"])[0][0] == 0
    assert model.explain(History(["a"]), "b") == ()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 40)), min_size=1, max_size=40))
def test_item_cf_scores_are_finite_and_independent_of_the_order_of_rows(rows):
    users, items, days = zip(*rows, strict=True)
    times = [day * DAY for day in days]
    one = ItemCF().fit(Interactions.from_arrays(users, items, times))
    other = ItemCF().fit(Interactions.from_arrays(users[::-1], items[::-1], times[::-1]))
    history = History(list(items)[:5])
    assert np.isfinite(one.score([history])).all()
    np.testing.assert_allclose(one.score([history]), other.score([history]), rtol=1e-5)
