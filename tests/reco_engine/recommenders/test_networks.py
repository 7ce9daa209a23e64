"""What training moves is what serving computes."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
from scipy import sparse

from reco_engine.errors import MissingDependencyError
from reco_engine.recommenders.bag_batches import Sampling
from reco_engine.recommenders.bag_network import BagNetwork
from reco_engine.recommenders.bag_start import start_tables
from reco_engine.recommenders.networks import BagPlan, bag_scores, train_bag_network


def bags_of(n_users=50, n_items=60, seed=0):
    rng = np.random.default_rng(seed)
    bags = sparse.random_array((n_users, n_items), density=0.15, format="csr", rng=rng, dtype=np.float32)
    return sparse.csr_matrix(bags)


def trained(bags, n_negatives=100):
    rng = np.random.default_rng(0)
    start = start_tables(bags, n_factors=16, n_hidden=12, seed=0, rng=rng)
    plan = BagPlan(Sampling(16, 0.4, n_negatives, 0.8), 5, 0.1, 0.1, None)
    return start, train_bag_network(bags, start, plan, seed=0)


@pytest.mark.parametrize("n_negatives", [100, 10])
def test_numpy_scores_equal_those_of_the_trained_torch_layers(n_negatives):
    bags = bags_of()
    start, learnt = trained(bags, n_negatives)
    for tables in (start, learnt.tables):
        theirs = bag_scores(tables, bags, 0.1)
        ours = BagNetwork.of(tables, 0.1).scores(bags)
        assert np.ptp(theirs) > 1
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_training_moves_every_table_and_leaves_the_start_as_it_was():
    bags = bags_of()
    start, learnt = trained(bags)
    again, _ = trained(bags)
    for name, table in start.items():
        np.testing.assert_array_equal(table, again[name])
        assert not np.array_equal(table, learnt.tables[name])


def test_an_item_that_nobody_takes_and_no_step_draws_stays_where_it_started():
    bags = sparse.hstack([bags_of(), sparse.csr_matrix((50, 1), dtype=np.float32)], format="csr")
    start, learnt = trained(bags)
    np.testing.assert_array_equal(start["encoder"][-1], learnt.tables["encoder"][-1])
    assert not np.array_equal(start["decoder"][-1], learnt.tables["decoder"][-1])  # a candidate all the same


def test_scores_of_some_items_are_those_of_all():
    bags = bags_of()
    network = BagNetwork.of(trained(bags)[1].tables, 0.1)
    places = np.asarray([5, 2, 40])
    np.testing.assert_allclose(network.scores(bags, places), network.scores(bags)[:, places], rtol=1e-5, atol=1e-5)


def test_without_torch_training_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **named):
        if name == "torch":
            raise OSError("libtorch is broken")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingDependencyError, match="extra `train`"):
        trained(bags_of())
