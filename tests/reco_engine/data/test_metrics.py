"""Metrics, by hand."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.metrics import hit_rate_at, map_at, mrr_at, ndcg_at, precision_at, recall_at


def test_ndcg_by_hand():
    # hits at ranks 1 and 3 of two relevant items: (1 + 1/2) / (1 + 1/log2(3))
    assert ndcg_at(["a", "x", "b"], {"a", "b"}, 10) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))


def test_the_ideal_list_is_no_longer_than_k():
    assert ndcg_at(["a", "b"], {"a", "b", "c", "d"}, 2) == 1.0


def test_recall_by_hand():
    assert recall_at(["a", "x", "b"], {"a", "b", "c", "d"}, 3) == 0.5


def test_precision_counts_the_places_that_a_short_list_leaves_empty():
    assert precision_at(["a", "x"], {"a", "b"}, 4) == 0.25


def test_a_hit_is_a_hit_however_many():
    assert hit_rate_at(["x", "a", "b"], {"a", "b"}, 3) == 1
    assert hit_rate_at(["x", "a"], {"a"}, 1) == 0


def test_mrr_is_one_over_the_first_hits_rank():
    assert mrr_at(["x", "y", "a", "b"], {"a", "b"}, 4) == pytest.approx(1 / 3)
    assert mrr_at(["x", "y", "a"], {"a"}, 2) == 0


def test_map_by_hand():
    # hits at ranks 1 and 3 of three relevant items: (1/1 + 2/3 + 0) / 3
    assert map_at(["a", "x", "b"], {"a", "b", "c"}, 3) == pytest.approx((1 + 2 / 3) / 3)


@pytest.mark.parametrize("measure", [ndcg_at, recall_at, precision_at, hit_rate_at, mrr_at, map_at])
def test_with_nothing_relevant_no_list_is_right_or_wrong(measure):
    assert math.isnan(measure(["a"], frozenset(), 1))
    assert measure([], {"a"}, 1) == 0
