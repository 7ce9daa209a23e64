"""Steps of training: what is hidden is what is looked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from reco_engine.recommenders.bag_batches import MOST_ITEMS, Sampling, batches, n_batches

TAKEN = st.lists(st.sets(st.integers(0, 30), max_size=12), min_size=1, max_size=20)


def bags_of(taken, n_items=31):
    rows = np.repeat(np.arange(len(taken)), [len(each) for each in taken])
    columns = np.asarray([item for each in taken for item in sorted(each)], dtype=np.int64)
    values = np.arange(1, rows.size + 1, dtype=np.float32)
    return sparse.csr_matrix((values, (rows, columns)), shape=(len(taken), n_items))


@settings(max_examples=40, deadline=None)
@given(TAKEN, st.floats(0.1, 0.9), st.integers(1, 40), st.integers(1, 7))
def test_each_bag_is_cut_into_what_is_shown_and_what_is_hidden(taken, dropout, n_negatives, batch):
    bags = bags_of(taken)
    sampling = Sampling(batch, dropout, n_negatives, 1.0)
    whole = sorted(tuple(sorted(each)) for each in taken if len(each) >= 2)
    seen = []
    steps = list(batches(bags, sampling, np.random.default_rng(0)))
    assert len(steps) == n_batches(bags, sampling)
    for step in steps:
        assert step.shares.sum() == pytest.approx(1.0, rel=1e-5)
        assert np.all(step.offsets <= 0)
        ends = [*step.starts[1:], step.members.size]
        for bag, (start, end) in enumerate(zip(step.starts, ends, strict=True)):
            shown = step.inputs[step.members[start:end]].tolist()
            hidden = step.candidates[step.columns[step.rows == bag]].tolist()
            assert shown
            assert hidden
            seen.append(tuple(sorted(shown + hidden)))
    assert sorted(seen) == whole


def test_a_giant_bag_costs_a_bounded_step():
    bags = bags_of([set(range(2000)), {1, 2}], 2000)
    (step,) = batches(bags, Sampling(2, 0.5, 10, 1.0), np.random.default_rng(0))
    assert step.members.size + step.rows.size == MOST_ITEMS + 2


def test_a_small_catalogue_is_scored_whole_and_nothing_is_taken_off():
    bags = bags_of([{0, 1}, {1, 2}], 31)
    (step,) = batches(bags, Sampling(2, 0.5, 16, 1.0), np.random.default_rng(0))
    assert step.candidates.tolist() == list(range(31))
    assert not step.offsets.any()


def test_what_is_taken_off_is_the_log_of_the_chance_of_being_a_candidate():
    # 2 of 4 entries are item 0; 2 items are hidden, 10 of 1000 drawn: 2 * 0.5 + 0.01 are expected
    bags = bags_of([{0, 1}, {0, 2}], 1000)
    (step,) = batches(bags, Sampling(2, 0.5, 10, 0.5), np.random.default_rng(0))
    offsets = dict(zip(step.candidates.tolist(), step.offsets.tolist(), strict=True))
    assert offsets.get(0, offsets.get(1)) is not None
    expected = {0: 1.01, 1: 0.51, 2: 0.51}
    for item, offset in offsets.items():
        assert offset == pytest.approx(0.5 * np.log(1 - np.exp(-expected.get(item, 0.01))), rel=1e-5)
