"""Sparse products of which only the largest entries of each row are kept, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.errors import MissingDependencyError
from reco_engine.types import Floats

from .spectral import SpectralTerm

THREADS = 2
BLOCKS = 8  # at least: a fit that is asked to stop does so within an eighth of it
WHOLE_CELLS = 2**24  # of a block of rows before the cut
Columns = npt.NDArray[np.integer[Any]]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Factors:
    """What the likeness of items is made of: ``left @ right`` plus a dense term, before the cut.

    Attributes:
        left: Shape (n_items, n_users), float32.
        right: Shape (n_users, n_items), float32, with entries where ``left`` has them.
        spectral: None where there is none.
        min_support: A pair counts only where so many users took both items.
    """

    left: sparse.csr_matrix
    right: sparse.csr_matrix
    spectral: SpectralTerm | None = None
    min_support: int = 1


def best_products(
    factors: Factors, sources: Places, n_best: int, progress: Callable[[float], None] | None = None
) -> sparse.csr_matrix:
    """The ``n_best`` positive entries of the rows of ``sources``, the diagonal left out.

    A row's entries depend neither on which other rows are asked for nor on how they are cut into blocks.

    Returns:
        Shape (n_sources, n_items), float32, the largest entry of each row first.
    Raises:
        MissingDependencyError: If sparse-dot-topn cannot be imported.
    """
    n_items = factors.right.shape[1]
    simple = factors.spectral is None and factors.min_support <= 1
    size = max(1, -(-sources.size // BLOCKS))
    if not simple:
        size = min(size, max(1, WHOLE_CELLS // max(n_items, 1)))
    values, columns, sizes = np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int64)
    for start in range(0, sources.size, size):
        part = sources[start : start + size]
        left = factors.left[part]
        if simple:
            block = without_diagonal(multiplied(left, factors.right, n_best + 1), part, n_best)
        else:
            cut = Cut(part, n_best, factors.spectral, factors.min_support)
            support = cut.supported(multiplied(ones(left), ones(factors.right))) if factors.min_support > 1 else None
            block = cut.best(multiplied(left, factors.right), support)
        _append(values, block.data)
        _append(columns, block.indices)
        _append(sizes, np.diff(block.indptr))
        if progress is not None:
            progress(min(start + size, sources.size) / sources.size)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return sparse.csr_matrix((values, columns, starts), shape=(sources.size, n_items))


def multiplied(
    left: sparse.csr_matrix, right: sparse.csr_matrix, n_best: int | None = None, n_threads: int = THREADS
) -> sparse.csr_matrix:
    """``left @ right``, whole or the largest positive entries of each row, largest first.

    Raises:
        MissingDependencyError: If sparse-dot-topn cannot be imported.
    """
    try:
        from sparse_dot_topn import sp_matmul, sp_matmul_topn
    except Exception as error:
        raise MissingDependencyError("sparse-dot-topn is not installed; install the extra `train`") from error
    if n_best is None:
        return sparse.csr_matrix(sp_matmul(left, right, n_threads=n_threads))
    return sparse.csr_matrix(sp_matmul_topn(left, right, top_n=n_best, threshold=0.0, sort=True, n_threads=n_threads))


def ones(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same entries, each of them 1."""
    return sparse.csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), matrix.shape)


@dataclass(frozen=True)
class Cut:
    """What is kept of whole rows of products where a spectral term counts, or how many users took both items.

    Attributes:
        sources: Whose rows they are, shape (n_sources,).
        n_best: Entries of each, at most.
    """

    sources: Places
    n_best: int
    spectral: SpectralTerm | None
    min_support: int

    def supported(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Ones for the pairs that enough users took, of how many did; ``counts`` is used up."""
        counts.data = (counts.data >= self.min_support).astype(np.float32)
        counts.eliminate_zeros()
        return counts

    def best(self, product: sparse.csr_matrix, support: sparse.csr_matrix | None) -> sparse.csr_matrix:
        """The best entries of ``product``, shape (n_sources, n_items), the diagonal left out.

        Args:
            support: Where a pair counts, of the same shape; None: everywhere.
        """
        some = self._of_all(product) if support is None else self._of_pairs(product, support)
        return without_diagonal(some, self.sources, self.n_best)

    def _of_pairs(self, product: sparse.csr_matrix, support: sparse.csr_matrix) -> sparse.csr_matrix:
        """Of the pairs that count; the spectral term counts where there is such a pair."""
        product = sparse.csr_matrix(product.multiply(support))
        rows, values = _rows(product), product.data
        if self.spectral is not None:
            values = values + self.spectral.rows(self.sources)[rows, product.indices]
        return _largest(rows, product.indices, values, product.shape, self.n_best + 1)

    def _of_all(self, product: sparse.csr_matrix) -> sparse.csr_matrix:
        assert self.spectral is not None  # noqa: S101
        n_best, dense = self.n_best + 1, self.spectral.rows(self.sources)
        dense[_rows(product), product.indices] += product.data
        nth = max(dense.shape[1] - n_best, 0)
        high = np.maximum(np.partition(dense, nth, axis=1)[:, nth], np.float32(0))
        rows, columns = np.nonzero((dense >= high[:, None]) & (dense > 0))
        return _largest(rows, columns, dense[rows, columns], dense.shape, n_best)


def _largest(rows: Places, columns: Columns, values: Floats, shape: tuple[int, int], n_best: int) -> sparse.csr_matrix:
    """The largest positive entries of each row, largest first, ties by column; ``rows`` is sorted."""
    order = np.lexsort((columns, -values, rows))
    order = order[values[order] > 0]
    rows = rows[order]
    order = order[np.arange(rows.size) - np.searchsorted(rows, rows) < n_best]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]).clip(max=n_best))])
    return sparse.csr_matrix((values[order], columns[order], starts), shape=shape)


def without_diagonal(block: sparse.csr_matrix, sources: Places, n_best: int) -> sparse.csr_matrix:
    """The first ``n_best`` entries of each row that are not of the source itself.

    Args:
        block: At most ``n_best + 1`` positive entries a row, the largest first.
    """
    own = np.flatnonzero(block.indices == np.repeat(sources.astype(block.indices.dtype), np.diff(block.indptr)))
    long = np.diff(block.indptr) > n_best
    long[np.searchsorted(block.indptr, own, side="right") - 1] = False
    gone = np.concatenate([own, block.indptr[1:][long] - 1])
    keep = np.ones(block.nnz, dtype=bool)
    keep[gone] = False
    fewer = np.bincount(np.searchsorted(block.indptr, gone, side="right") - 1, minlength=block.shape[0])
    starts = block.indptr - np.concatenate([[0], np.cumsum(fewer)])
    return sparse.csr_matrix((block.data[keep], block.indices[keep], starts), shape=block.shape)


def _append(whole: npt.NDArray[Any], part: npt.NDArray[Any]) -> None:
    """Make an array longer in place: what it holds is moved, so that nothing is ever held twice."""
    end = whole.size
    whole.resize(end + part.size, refcheck=False)
    whole[end:] = part


def _rows(matrix: sparse.csr_matrix) -> Places:
    """Which row each stored entry is of."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
