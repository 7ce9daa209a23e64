"""Sparse products of which only the largest entries of each row are kept, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from reco_engine.errors import MissingDependencyError

BLOCK = 2048  # rows at a time: bounds memory
THREADS = 2


def best_products(
    left: sparse.csr_matrix,
    right: sparse.csr_matrix,
    takers: sparse.csr_matrix,
    *,
    n_best: int,
    min_support: int = 1,
    progress: Callable[[float], None] | None = None,
) -> sparse.csr_matrix:
    """The ``n_best`` positive entries of each row of ``left @ right``, columns in order, the diagonal left out.

    Args:
        left: Shape (n_items, n_users).
        right: Shape (n_users, n_items).
        takers: Ones where a user took an item, shape (n_users, n_items).
        min_support: An entry counts only where so many users took both items.
    Raises:
        MissingDependencyError: If sparse-dot-topn cannot be imported.
    """
    try:
        from sparse_dot_topn import sp_matmul, sp_matmul_topn
    except Exception as error:
        raise MissingDependencyError("sparse-dot-topn is not installed; install the extra `train`") from error
    n_all = left.shape[0]
    able = np.flatnonzero(np.bincount(takers.indices, minlength=n_all) >= min_support)
    n_items = able.size
    left, right, takers = (
        matrix.astype(np.float32).tocsr() for matrix in (left[able], right[:, able], takers[:, able])
    )
    columns = takers.T.tocsr()
    identity = sparse.identity(n_items, dtype=np.float32, format="csr")
    blocks = []
    for start in range(0, n_items, BLOCK):
        stop = min(start + BLOCK, n_items)
        factors = left[start:stop], right
        if min_support > 1:
            pairs = sp_matmul_topn(
                columns[start:stop], takers, top_n=n_items, threshold=min_support - 0.5, sort=False, n_threads=THREADS
            )
            pairs.data = np.ones_like(pairs.data)
            factors = sp_matmul(*factors, n_threads=THREADS).multiply(pairs).tocsr(), identity
        block = sp_matmul_topn(*factors, top_n=n_best + 1, threshold=0.0, sort=True, n_threads=THREADS)
        blocks.append(_without_diagonal(block, start, n_best))
        if progress is not None:
            progress(stop / n_items)
    if not blocks:
        return sparse.csr_matrix(([], ([], [])), shape=(n_all, n_all), dtype=np.float32)
    best = sparse.vstack(blocks, format="csr")
    sizes = np.zeros(n_all, dtype=np.int64)
    sizes[able] = np.diff(best.indptr)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return sparse.csr_matrix((best.data, able[best.indices], starts), shape=(n_all, n_all))


def _without_diagonal(block: sparse.csr_matrix, start: int, n_best: int) -> sparse.csr_matrix:
    """The first ``n_best`` entries of each row that are not its own; ``start`` is the first row's number."""
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    others = block.indices != start + rows
    before = np.concatenate([[0], np.cumsum(others)])
    nth = before[1:] - before[block.indptr[rows]]
    keep = others & (nth <= n_best) & (block.data > 0)
    sizes = np.bincount(rows[keep], minlength=block.shape[0])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    best = sparse.csr_matrix((block.data[keep], block.indices[keep], starts), shape=block.shape)
    best.sort_indices()
    return best
