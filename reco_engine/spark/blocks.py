"""Item-based CF's products, a block of items at a time: users' rows arrive in order, and sums go on where they were.

A sum of single-precision numbers depends on its order. Here each one is added up user by user, as in memory, whatever
the batches: what has been summed is carried into the next product as rows of its own, multiplied by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.recommenders.products import Cut, multiplied, ones, without_diagonal
from reco_engine.recommenders.similarity import Similarity

BLOCK_CELLS = 2**23
"""Sums that a task holds, at most; or those of one item."""
CHUNK_CELLS = 2**21
"""Cells of users' rows that are sent at once, or multiplied."""
Places = npt.NDArray[np.int64]


def block_starts(meetings: Places, n_blocks: int) -> Places:
    """Cut items into consecutive blocks that cost alike and whose sums fit: where each begins, and the end.

    Args:
        meetings: Cells in the rows of each item's users, shape (n_items,): no more sums than that, and no less work.
        n_blocks: So many at least, where there are as many items that anybody took.
    """
    n_items = meetings.size
    sums = np.minimum(meetings, n_items)
    most_work = max(int(meetings.sum()) // max(n_blocks, 1), 1)
    starts, held, work = [0], 0, 0
    for item, (cells, cost) in enumerate(zip(sums.tolist(), meetings.tolist(), strict=True)):
        if cost and work and (held + cells > BLOCK_CELLS or work + cost > most_work):
            starts.append(item)
            held, work = 0, 0
        held, work = held + cells, work + cost
    return np.asarray([*starts, n_items])


@dataclass(frozen=True)
class Spreading:
    """Sends each user's row to every block with an item of it."""

    starts: Places

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Arrow batches of rows to the same with a column ``block``."""
        import pyarrow as pa

        n_blocks = self.starts.size - 1
        for batch in batches:
            sizes = np.diff(np.asarray(batch.column("items").offsets))
            cells = np.asarray(batch.column("items").flatten())
            blocks = np.searchsorted(self.starts, cells, side="right") - 1
            rows, blocks = np.divmod(np.unique(np.repeat(np.arange(sizes.size), sizes) * n_blocks + blocks), n_blocks)
            pieces = np.cumsum(sizes[rows]) // CHUNK_CELLS
            for piece in np.split(np.arange(rows.size), np.flatnonzero(np.diff(pieces)) + 1) if rows.size else []:
                sent = batch.take(pa.array(rows[piece]))
                yield pa.record_batch(
                    [pa.array(blocks[piece].astype(np.int32)), *sent.columns],
                    names=["block", *sent.schema.names],
                )


@dataclass(frozen=True)
class Multiplying:
    """The best targets of the items of the blocks that arrive, each block's rows sorted by user."""

    starts: Places
    similarity: Similarity
    n_best: int

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Arrow batches of spread rows to Arrow batches of sources, targets and similarities."""
        work: _Block | None = None
        for batch in batches:
            numbers = np.asarray(batch.column("block"))
            start = 0
            for end in np.flatnonzero(np.diff(numbers, append=-1)) + 1:
                number = int(numbers[start])
                if work is None or work.number != number:
                    if work is not None:
                        yield _told(work)
                    sources = slice(int(self.starts[number]), int(self.starts[number + 1]))
                    work = _Block(number, sources, self.similarity, self.n_best)
                work.add(batch.slice(start, int(end) - start))
                start = int(end)
        if work is not None:
            yield _told(work)


class _Block:
    """The sums of one block so far, and the rows that wait to be multiplied."""

    def __init__(self, number: int, sources: slice, similarity: Similarity, n_best: int) -> None:
        self.number, self.sources = number, sources
        self._similarity, self._n_best = similarity, n_best
        self._n_sources = sources.stop - sources.start
        self._sums: sparse.csr_matrix | None = None
        self._counts: sparse.csr_matrix | None = None
        self._sizes: list[Places] = []
        self._items: list[npt.NDArray[np.int32]] = []
        self._weights: list[npt.NDArray[np.float64]] = []
        self._n_waiting = 0

    def add(self, batch: Any) -> None:
        """Take later users' rows, and multiply once it is worth carrying the sums."""
        items = np.asarray(batch.column("items").flatten())
        self._sizes.append(np.diff(np.asarray(batch.column("items").offsets)).astype(np.int64))
        self._items.append(items)
        self._weights.append(np.asarray(batch.column("weights").flatten()))
        self._n_waiting += items.size
        if self._n_waiting >= max(CHUNK_CELLS, self._sums.nnz // 2 if self._sums is not None else 0):
            self._multiply()

    def best(self) -> sparse.csr_matrix:
        """The best targets of each source, shape (n_sources, n_items)."""
        self._multiply()
        assert self._sums is not None  # noqa: S101
        sources = np.arange(self.sources.start, self.sources.stop)
        spectral, least = self._similarity.spectral, self._similarity.min_support
        if self._simple:
            return without_diagonal(multiplied(self._one, self._sums, self._n_best + 1, 1), sources, self._n_best)
        cut = Cut(sources, self._n_best, spectral, least)
        return cut.best(self._sums, None if self._counts is None else cut.supported(self._counts))

    @property
    def _simple(self) -> bool:
        return self._similarity.spectral is None and self._similarity.min_support <= 1

    @property
    def _one(self) -> sparse.csr_matrix:
        return sparse.csr_matrix(sparse.identity(self._n_sources, np.float32, format="csr"))

    def _multiply(self) -> None:
        if not self._sizes:
            return
        starts = np.concatenate([[0], np.cumsum(np.concatenate(self._sizes))])
        roots = np.sqrt(np.concatenate(self._weights))
        shape = (starts.size - 1, self._similarity.popularity.size)
        taken = sparse.csr_matrix((roots, np.concatenate(self._items), starts), shape=shape)
        self._sizes, self._items, self._weights, self._n_waiting = [], [], [], 0
        left, right = self._similarity.sides(taken, self.sources)
        self._sums = self._plus(self._sums, left, right)
        if self._similarity.min_support > 1:
            self._counts = self._plus(self._counts, ones(left), ones(right))

    def _plus(
        self, sums: sparse.csr_matrix | None, left: sparse.csr_matrix, right: sparse.csr_matrix
    ) -> sparse.csr_matrix:
        """``sums + left @ right``, each sum going on from where it was."""
        if sums is not None:
            left = sparse.csr_matrix(sparse.hstack([self._one, left], format="csr"))
            right = _stacked(sums, right)
        product = multiplied(left, right, n_threads=1)
        return _turned(product) if self._simple else product


def _stacked(upper: sparse.csr_matrix, lower: sparse.csr_matrix) -> sparse.csr_matrix:
    """Both as one, every row's entries in the order that they have."""
    starts = np.concatenate([upper.indptr.astype(np.int64), upper.nnz + lower.indptr[1:].astype(np.int64)])
    shape = (upper.shape[0] + lower.shape[0], lower.shape[1])
    data = np.concatenate([upper.data, lower.data])
    return sparse.csr_matrix((data, np.concatenate([upper.indices, lower.indices]), starts), shape=shape)


def _turned(product: sparse.csr_matrix) -> sparse.csr_matrix:
    """A product with every row's entries backwards, which is the order in which users brought them.

    That order decides between targets of one similarity.
    """
    sizes = np.diff(product.indptr)
    places = np.repeat(product.indptr[:-1] + product.indptr[1:] - 1, sizes) - np.arange(product.nnz)
    return sparse.csr_matrix((product.data[places], product.indices[places], product.indptr), product.shape)


def _told(block: _Block) -> Any:
    import pyarrow as pa

    best = block.best()
    starts = pa.array(best.indptr.astype(np.int32))
    return pa.record_batch(
        [
            pa.array(np.arange(block.sources.start, block.sources.stop, dtype=np.int32)),
            pa.ListArray.from_arrays(starts, pa.array(best.indices.astype(np.int32))),
            pa.ListArray.from_arrays(starts, pa.array(best.data.astype(np.float32))),
        ],
        names=["source", "targets", "similarities"],
    )


def similar(n_items: int, told: Iterator[Any]) -> sparse.csr_matrix:
    """The rows of all items from the batches of all blocks, whatever their order, shape (n_items, n_items)."""
    sources, sizes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    targets, values = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    for batch in told:
        sources.append(np.asarray(batch.column("source")).astype(np.int64))
        sizes.append(np.diff(np.asarray(batch.column("targets").offsets)).astype(np.int64))
        targets.append(np.asarray(batch.column("targets").flatten()))
        values.append(np.asarray(batch.column("similarities").flatten()))
    of, widths = np.concatenate(sources), np.concatenate(sizes)
    starts = np.concatenate([[0], np.cumsum(widths)])
    found = sparse.csr_matrix((np.concatenate(values), np.concatenate(targets), starts), shape=(of.size, n_items))
    rows = np.full(n_items, of.size)
    rows[of] = np.arange(of.size)
    none: Any = sparse.csr_matrix(np.zeros((1, n_items), dtype=np.float32))
    return sparse.csr_matrix(sparse.vstack([found, none], format="csr")[rows])
