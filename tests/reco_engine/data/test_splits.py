"""Splits: nothing of what is asked for is in what may be learnt from."""

from __future__ import annotations

import numpy as np

from reco_engine.data.interactions import Interactions
from reco_engine.data.splits import hidden_cases, inner_cases, later_cases
from tests.reco_engine.conftest import AT, DAY


def test_a_case_is_what_was_taken_anew_after_the_cut():
    interactions = Interactions.from_arrays(
        ["u", "u", "u", "u", "late"], ["a", "b", "a", "c", "d"], [1 * DAY, 2 * DAY, 9 * DAY, 9 * DAY, 9 * DAY]
    )
    before, (case,) = later_cases(interactions, at=10 * DAY, holdout_days=5, n_cases=9, rng=np.random.default_rng(0))
    assert before.user_ids.tolist() == ["u"]
    assert case.history.items == ["a", "b"]
    assert case.history.timestamps == [1 * DAY, 2 * DAY]
    assert case.new == {"c"}


def test_hidden_items_are_hidden_with_all_their_repeats():
    users = np.repeat(np.arange(50), 12)
    items = np.tile(np.repeat(np.arange(6), 2), 50)
    interactions = Interactions.from_arrays(users, items)
    before, cases = hidden_cases(interactions, share=0.3, n_cases=50, rng=np.random.default_rng(0))
    assert cases
    assert len(before) < len(interactions)
    for case in cases:
        assert not case.new & set(case.history.items)


def test_dated_data_is_split_by_time_and_undated_data_is_not(data):
    dated, _ = data
    before, _ = inner_cases(dated, at=AT, n_cases=9, rng=np.random.default_rng(0))
    assert 0.75 < len(before) / len(dated) < 0.85
    assert before.newest < np.quantile(dated.timestamps, 0.81)
    undated = Interactions.from_arrays(dated.user_ids[dated.users], dated.item_ids[dated.items])
    before, cases = inner_cases(undated, at=None, n_cases=9, rng=np.random.default_rng(0))
    assert before.newest is None
    assert all(case.history.timestamps is None for case in cases)


def test_the_newest_events_of_a_case_are_its_last_ones(data):
    _, cases = inner_cases(data[0], at=AT, n_cases=9, rng=np.random.default_rng(0))
    case = max(cases, key=lambda each: len(each.history))
    assert case.newest(2).history.items == case.history.items[-2:]
    assert case.newest(2).new == case.new
