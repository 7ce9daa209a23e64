"""Metrics, by hand."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.metrics import ndcg_at, recall_at


def test_ndcg_by_hand():
    # hits at ranks 1 and 3 of two relevant items: (1 + 1/2) / (1 + 1/log2(3))
    assert ndcg_at(["a", "x", "b"], {"a", "b"}, 10) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))


def test_the_ideal_list_is_no_longer_than_k():
    assert ndcg_at(["a", "b"], {"a", "b", "c", "d"}, 2) == 1.0


def test_recall_by_hand():
    assert recall_at(["a", "x", "b"], {"a", "b", "c", "d"}, 3) == 0.5


def test_nothing_relevant_is_no_number():
    assert math.isnan(ndcg_at(["a"], set(), 10))
