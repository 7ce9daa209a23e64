"""Figures of many lists: equal to a public implementation, and to those of one list."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from reco_engine.data.list_metrics import accuracy, cells_of
from reco_engine.data.metrics import hit_rate_at, map_at, mrr_at, ndcg_at, precision_at, recall_at
from reco_engine.errors import BadInputError

ONE_LIST = {
    "ndcg": ndcg_at, "recall": recall_at, "precision": precision_at,
    "hit_rate": hit_rate_at, "mrr": mrr_at, "map": map_at,
}  # fmt: skip
TREC = {"ndcg": "ndcg_cut", "recall": "recall", "precision": "P", "hit_rate": "success", "map": "map_cut"}


def shop(seed, *, n_lists=80, n_items=40, length=12, share=0.12):
    """Random lists, some of them short or empty, and what is relevant to each."""
    rng = np.random.default_rng(seed)
    ranked = np.stack([rng.permutation(n_items)[:length] for _ in range(n_lists)])
    ranked[np.arange(length) >= rng.integers(0, length + 1, n_lists)[:, None]] = -1
    return ranked, sparse.csr_matrix((rng.random((n_lists, n_items)) < share).astype(float))


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_figures_equal_those_of_trec_eval(k):
    ranked, relevant = shop(1)
    figures = accuracy(ranked, relevant, k=k)
    truth = {str(n): {str(item): 1 for item in relevant[n].indices} for n in range(len(ranked)) if relevant[n].nnz}
    lists = {
        n: {str(item): float(-rank) for rank, item in enumerate(ranked[int(n), :k]) if item >= 0} for n in truth
    }  # cut at k, since trec_eval's reciprocal rank looks at the whole list
    measures = {f"{name}.{k}" for name in TREC.values()} | {"recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(lists)
    assert len(truth) > 70
    for n in truth:
        if not lists[n]:
            assert {name: values[int(n)] for name, values in figures.items()} == dict.fromkeys(figures, 0.0)
            continue
        for ours, name in TREC.items():
            assert figures[ours][int(n)] == pytest.approx(theirs[n][f"{name}_{k}"], abs=1e-9), (ours, n)
        assert figures["mrr"][int(n)] == pytest.approx(theirs[n]["recip_rank"], abs=1e-9)


@given(seed=st.integers(0, 99), k=st.integers(1, 14), share=st.sampled_from([0.0, 0.05, 0.9]))
def test_a_list_measured_alone_has_the_same_figures(seed, k, share):
    ranked, relevant = shop(seed, n_lists=6, share=share)
    figures = accuracy(ranked, relevant, k=k)
    for n, row in enumerate(ranked):
        items, wanted = row[row >= 0].tolist(), set(relevant[n].indices.tolist())
        for name, measure in ONE_LIST.items():
            assert figures[name][n] == pytest.approx(measure(items, wanted, k), nan_ok=True), name


def test_a_stored_zero_is_not_relevant():
    relevant = sparse.csr_matrix((np.asarray([0.0, 1.0]), np.asarray([0, 1]), np.asarray([0, 2])), shape=(1, 3))
    assert accuracy(np.asarray([[0, 1]]), relevant, k=2)["recall"].tolist() == [1]
    assert accuracy(np.asarray([[0, -1]]), relevant, k=2)["precision"].tolist() == [0]


@pytest.mark.parametrize(
    ("ranked", "k", "message"),
    [
        ([[0, 0]], 2, "twice"),
        ([[0, 3]], 2, "below 3"),
        ([[0, -2]], 2, "or -1"),
        ([[0], [1]], 2, "each of 1 lists"),
        ([0, 1], 2, "each of 1 lists"),
        ([[0, 1]], 0, "k must be"),
    ],
)
def test_lists_that_measure_nothing_are_refused(ranked, k, message):
    with pytest.raises(BadInputError, match=message):
        accuracy(np.asarray(ranked), sparse.csr_matrix(np.ones((1, 3))), k=k)


def test_cells_of_rows_in_any_order_and_of_an_empty_matrix():
    matrix = sparse.csr_matrix((np.asarray([5.0, 7.0]), np.asarray([2, 0]), np.asarray([0, 2, 2])), shape=(2, 3))
    assert cells_of(matrix, np.asarray([[0, 2, -1], [1, 2, -1]])).tolist() == [[7, 5, 0], [0, 0, 0]]
    assert cells_of(sparse.csr_matrix((1, 3)), np.asarray([[1, -1]])).tolist() == [[0, 0]]
