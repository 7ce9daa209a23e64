"""A logistic regression on products, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.recommenders.quadratic import chances, fit_logistic, products_of, standardised


def test_products_are_one_the_features_and_each_pair_of_them_once():
    assert products_of(np.asarray([[2.0, 3.0]])).tolist() == [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]


def test_a_feature_far_out_counts_as_four_deviations():
    found = standardised(np.asarray([[3.0, -99.0]]), np.asarray([1.0, 1.0]), np.asarray([2.0, 5.0]))
    assert found.tolist() == [[1.0, -4.0]]


def test_an_endless_logit_is_a_chance_still():
    assert chances(np.asarray([0.0, -1e9, 1e9])).tolist() == pytest.approx([0.5, 0.0, 1.0])


def test_much_data_outweighs_the_belief():
    outcomes = np.r_[np.ones(300), np.zeros(100)]
    weights = fit_logistic(np.ones((400, 1)), outcomes, np.asarray([-5.0]), 1e-6)
    assert chances(weights).tolist() == pytest.approx([0.75], abs=1e-4)


def test_little_data_leaves_the_belief_nearly_as_it_was():
    weights = fit_logistic(np.ones((2, 1)), np.ones(2), np.asarray([-1.0]), 1000.0)
    assert -1.0 < weights[0] < -0.99


def test_the_weights_found_are_where_the_pull_of_data_and_belief_is_even():
    rng = np.random.default_rng(1)
    columns, outcomes, belief = rng.normal(size=(200, 3)), rng.random(200), np.asarray([0.5, 0.0, -1.0])
    weights = fit_logistic(columns, outcomes, belief, 20.0)
    pull = columns.T @ (outcomes - chances(columns @ weights))
    np.testing.assert_allclose(pull, 20.0 * (weights - belief), atol=0.02)
