"""How good many lists were, seen from what was taken after them: the figures of ``metrics``, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.errors import BadInputError

Lists = npt.NDArray[np.integer[Any]]
Figures = npt.NDArray[np.float64]


def accuracy(ranked: Lists, relevant: sparse.csr_matrix, *, k: int) -> dict[str, Figures]:
    """NDCG, recall, precision, hit rate, MRR and MAP of each list's first ``k``.

    Args:
        ranked: Item places, best first, -1 where a list has ended, shape (n_lists, length).
        relevant: What was taken, any value but 0, shape (n_lists, n_items).
    Returns:
        By name, shape (n_lists,); NaN for lists to which nothing is relevant. Equal to ``ndcg_at``,
        ``recall_at``, ``precision_at``, ``hit_rate_at``, ``mrr_at`` and ``map_at``, and to trec_eval.
    Raises:
        BadInputError: If shapes differ, ``k`` is below 1, or a list holds an item twice or one that is not there.
    """
    if k < 1:
        raise BadInputError(f"k must be 1 or more, not {k}")
    need_lists(ranked, relevant.shape)
    first = ranked[:, :k]
    hits = (cells_of(relevant, first) != 0).astype(np.float64)
    sizes = np.diff(_without_zeros(relevant).indptr).astype(np.float64)
    sizes[sizes == 0] = np.nan
    ranks = np.arange(1, first.shape[1] + 1)
    found = hits.sum(axis=1)
    ideal = np.concatenate(([0.0], np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))))
    best = ideal[np.minimum(np.nan_to_num(sizes), k).astype(np.int64)]
    none = np.where(np.isnan(sizes), np.nan, 0.0)
    return {
        "ndcg": hits @ (1.0 / np.log2(ranks + 1)) / np.where(best > 0, best, np.nan),
        "recall": found / sizes,
        "precision": found / k + none,
        "hit_rate": (found > 0) + none,
        "mrr": (hits / ranks).max(axis=1, initial=0.0) + none,
        "map": (np.cumsum(hits, axis=1) * hits / ranks).sum(axis=1) / sizes,
    }


def cells_of(matrix: sparse.csr_matrix, columns: Lists) -> Figures:
    """The values of some columns in each row of a sparse matrix, 0 for a column of -1.

    Args:
        matrix: Shape (n_rows, n_columns).
        columns: Shape (n_rows, n_wanted).
    Returns:
        Shape (n_rows, n_wanted).
    """
    matrix = _without_zeros(matrix)
    width = matrix.shape[1]
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    held = rows * width + matrix.indices
    wanted = np.arange(columns.shape[0], dtype=np.int64)[:, None] * width + columns
    if held.size == 0:
        return np.zeros(columns.shape)
    places = np.minimum(np.searchsorted(held, wanted.ravel()), held.size - 1).reshape(columns.shape)
    return np.where((held[places] == wanted) & (columns >= 0), matrix.data[places].astype(np.float64), 0.0)


def need_lists(ranked: Lists, shape: tuple[int, int]) -> None:
    """Refuse lists that measure nothing sensible.

    Raises:
        BadInputError: If there is not one list for each of ``shape[0]`` rows, or a list holds an item twice, or
            one beyond the ``shape[1]`` items.
    """
    if ranked.ndim != 2 or ranked.shape[0] != shape[0]:
        raise BadInputError(f"ranked must have one row for each of {shape[0]} lists, not shape {ranked.shape}")
    if ranked.size and (int(ranked.max()) >= shape[1] or int(ranked.min()) < -1):
        raise BadInputError(f"ranked must hold places below {shape[1]}, or -1 where a list has ended")
    ordered = np.sort(ranked, axis=1)
    if np.any((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)):
        raise BadInputError("ranked must not hold an item twice in one list")


def _without_zeros(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with columns sorted, repeats summed and no zeros stored; itself where it is so already."""
    if matrix.has_canonical_format and np.all(matrix.data != 0):
        return matrix
    matrix = matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
