"""The users that training is stopped by."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from reco_engine.recommenders.bag_network import BagNetwork
from reco_engine.recommenders.bag_slice import Slice, held_out


def test_the_last_fifth_of_a_users_items_is_hidden_and_nothing_of_the_others():
    bags = sparse.csr_matrix(np.ones((60, 10), dtype=np.float32))
    since = np.tile(np.arange(10.0)[::-1], 60)  # the lower the place, the later it was taken
    known, held = held_out(bags, since, n_users=25, rng=np.random.default_rng(0))
    assert held.hidden.shape == (25, 10)
    assert np.unique(held.hidden.indices).tolist() == [0, 1]
    assert np.unique(held.bags.indices).tolist() == list(range(2, 10))
    assert known.nnz == 600 - 25 * 2
    assert np.bincount(np.diff(known.indptr)).tolist() == [0] * 8 + [25, 0, 35]


@pytest.mark.parametrize(("n_all", "n_items", "wanted"), [(60, 4, 30), (30, 9, 30), (60, 9, 0)])
def test_too_few_users_or_items_leave_the_bags_whole(n_all, n_items, wanted):
    bags = sparse.csr_matrix(np.ones((n_all, n_items), dtype=np.float32))
    known, held = held_out(bags, np.zeros(bags.nnz), n_users=wanted, rng=np.random.default_rng(0))
    assert held is None
    assert known is bags


def test_the_figure_is_the_ndcg_of_what_was_hidden_by_hand():
    # four items along four axes; the user points at item 1, then 2, then 3; item 0 is known and not ranked
    axes = np.eye(4, dtype=np.float32)
    encoder = np.asarray([[0.0, 3.0, 2.0, 1.0], *axes[1:]], dtype=np.float32)
    network = BagNetwork(encoder, np.zeros((4, 1)), np.zeros(1), np.zeros((1, 4)), axes, np.zeros(4))
    bags = sparse.csr_matrix(axes[:1])
    hidden = sparse.csr_matrix(np.asarray([[0.0, 0.0, 1.0, 1.0]], dtype=np.float32))
    expected = (1 / math.log2(3) + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert Slice(bags, hidden).ndcg(network) == pytest.approx(expected)
