"""What lists are like beside being right, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from reco_engine.data.slate_metrics import (
    BLOCK,
    catalogue_coverage,
    diversity,
    exposures,
    gini,
    miscalibration,
    novelty,
    popularity,
    popularity_bias,
)
from reco_engine.errors import BadInputError

EMPTY = [-1, -1]


def matrix(rows):
    return sparse.csr_matrix(np.asarray(rows, dtype=float))


def test_coverage_is_the_share_of_items_that_any_list_shows():
    counts = exposures(np.asarray([[0, 1], [1, -1]]), 4)
    assert counts.tolist() == [1, 2, 0, 0]
    assert catalogue_coverage(counts) == 0.5
    assert math.isnan(catalogue_coverage(exposures(np.empty((0, 2), np.int64), 0)))


def test_exposure_is_equal_or_one_item_has_it_all():
    assert gini(np.asarray([3, 3, 3, 3])) == 0
    assert gini(np.asarray([0, 0, 0, 8])) == 0.75  # 1 - 1/n
    # mean difference of all pairs of (1, 3) over twice the mean: (0 + 2 + 2 + 0)/4 / (2 x 2)
    assert gini(np.asarray([3, 1])) == 0.25
    assert math.isnan(gini(np.asarray([0, 0])))


def test_an_item_that_a_quarter_of_users_took_tells_two_bits():
    figures = novelty(np.asarray([[0, 1], [0, -1], EMPTY, [2, -1]]), np.asarray([2.0, 8.0, 0.0]), 8)
    assert figures[:2].tolist() == [1.0, 2.0]
    assert math.isnan(figures[2])
    assert figures[3] == 3.0  # taken by nobody: as by one of eight


def test_a_list_is_as_popular_as_its_items():
    assert popularity(np.asarray([[0, 1]]), np.asarray([2.0, 6.0]), 8).tolist() == [0.5]


def test_a_list_twice_as_popular_as_the_history_has_a_bias_of_one():
    histories = matrix([[1, 0, 5], [0, 1, 0], [0, 0, 0]])
    figures = popularity_bias(np.asarray([[1, -1], [1, -1], [1, -1]]), histories, np.asarray([3.0, 4.0, 1.0]))
    assert figures[:2].tolist() == [1.0, 0.0]
    assert math.isnan(figures[2])


def test_diversity_is_one_less_the_cosine_of_each_pair():
    features = matrix([[1, 0], [1, 0], [0, 2], [1, 1], [0, 0]])
    lists = np.asarray([[0, 1, -1], [0, 2, -1], [0, 1, 2], [0, 3, -1], [0, 4, -1], [0, -1, -1]])
    figures = diversity(lists, features)
    assert figures[:5] == pytest.approx([0, 1, 2 / 3, 1 - math.sqrt(0.5), 1])
    assert math.isnan(figures[5])


def test_figures_do_not_change_where_one_block_ends():
    lists = np.tile(np.asarray([[0, 1], [0, 2]]), (BLOCK // 2 + 3, 1))
    features = matrix([[1, 0], [1, 0], [0, 1]])
    assert diversity(lists, features).tolist() == [0.0, 1.0] * (BLOCK // 2 + 3)
    kl = miscalibration(lists, sparse.csr_matrix(np.tile([1.0, 0, 0], (len(lists), 1))), features)
    assert kl[:2].tolist() == kl[-2:].tolist()


def test_a_list_with_the_shares_of_the_history_is_calibrated_and_one_without_a_category_is_not():
    categories = matrix([[1, 0], [0, 1], [1, 0], [0, 1], [0, 0]])
    histories = matrix([[1, 1, 0, 0, 0]] * 3)
    figures = miscalibration(np.asarray([[2, 3], [2, -1], [4, -1]]), histories, categories)
    assert figures[0] == 0
    # history (1/2, 1/2), list (1, 0) smoothed to (.995, .005)
    assert figures[1] == pytest.approx(0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005))
    assert math.isnan(figures[2])


def test_a_history_counts_by_how_much_was_taken_and_an_item_of_two_categories_half_for_each():
    categories = matrix([[1, 1], [0, 3]])
    figures = miscalibration(np.asarray([[0]]), matrix([[1, 1]]), categories, smoothing=0.0)
    # history (1/4, 3/4), list (1/2, 1/2)
    assert figures[0] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))


def test_an_item_twice_in_a_list_is_refused():
    with pytest.raises(BadInputError, match="twice"):
        exposures(np.asarray([[1, 1]]), 2)
    with pytest.raises(BadInputError, match="below 1"):
        novelty(np.asarray([[1]]), np.ones(1), 2)
