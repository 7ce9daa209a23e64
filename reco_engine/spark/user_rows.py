"""The rows of all users in files that are mapped, so that memory holds what is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Ids

from .tables import ids_of

Places = npt.NDArray[np.int64]
LOOK = 4_000_000
"""Cells that are looked at at once."""


@dataclass(frozen=True)
class UserRows:
    """Users by items, sorted, as compressed sparse rows; ``items`` and ``weights`` are mapped files.

    Attributes:
        starts: Where each user's row begins, shape (n_users + 1,).
        items: Codes of items, sorted within a row, shape (n_cells,), int32.
        weights: Shape (n_cells,), float64.
    """

    user_ids: Ids
    starts: Places
    items: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]

    @classmethod
    def read(cls, folder: Path, into: Path) -> Self:
        """From the Parquet files that tasks wrote into a folder, sorted by user; ``into`` is a folder that exists."""
        users, sizes = [np.empty(0, np.int64)], [np.zeros(1, np.int64)]
        with (into / "items.bin").open("wb") as items, (into / "weights.bin").open("wb") as weights:
            for batch in batches(folder):
                if batch.num_rows:
                    users.append(ids_of(batch.column("user")))
                    sizes.append(np.diff(np.asarray(batch.column("items").offsets)).astype(np.int64))
                    np.asarray(batch.column("items").flatten()).astype(np.int32, copy=False).tofile(items)
                    np.asarray(batch.column("weights").flatten()).tofile(weights)
        starts = np.cumsum(np.concatenate(sizes))
        n_cells = int(starts[-1])
        return cls(
            np.concatenate(users[1:] or users),
            starts,
            _mapped(into / "items.bin", np.dtype(np.int32), n_cells),
            _mapped(into / "weights.bin", np.dtype(np.float64), n_cells),
        )

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """All rows on the mapped files, shape (n_users, n_items); copied into memory from 2**31 cells on."""
        return sparse.csr_matrix((self.weights, self.items, self.starts), shape=(self.user_ids.size, n_items))

    def sums(self, n_items: int) -> npt.NDArray[np.float64]:
        """The sum of each column, added in the order of users, shape (n_items,)."""
        sums = np.zeros(n_items)
        for start in range(0, self.items.size, LOOK):
            np.add.at(sums, self.items[start : start + LOOK], self.weights[start : start + LOOK])
        return sums

    def totals(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Of each user, what the whole numbers of their items sum to, shape (n_users,)."""
        sums = np.zeros(self.user_ids.size)
        for rows in self._blocks():
            first, last = self.starts[rows.start], self.starts[rows.stop]
            owners = np.repeat(np.arange(rows.stop - rows.start), np.diff(self.starts[rows.start : rows.stop + 1]))
            sums[rows] = np.bincount(owners, values[self.items[first:last]], minlength=rows.stop - rows.start)
        return sums

    def meetings(self, n_items: int) -> Places:
        """How many cells there are in the rows of each item's users, shape (n_items,): what its products cost."""
        found = np.zeros(n_items)
        for rows in self._blocks():
            sizes = np.diff(self.starts[rows.start : rows.stop + 1])
            cells = self.items[self.starts[rows.start] : self.starts[rows.stop]]
            found += np.bincount(cells, np.repeat(sizes, sizes), minlength=n_items)
        return found.astype(np.int64)

    def _blocks(self) -> Iterator[slice]:
        """Consecutive users, with ``LOOK`` cells or those of one user."""
        n_users, start = self.user_ids.size, 0
        while start < n_users:
            stop = int(np.searchsorted(self.starts, self.starts[start] + LOOK, side="right")) - 1
            stop = min(max(stop, start + 1), n_users)
            yield slice(start, stop)
            start = stop


def batches(folder: Path) -> Iterator[Any]:
    """Arrow batches of the Parquet files of a folder, in the order of names."""
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=20_000)


def _mapped(path: Path, dtype: np.dtype[Any], size: int) -> npt.NDArray[Any]:
    return np.asarray(np.memmap(path, dtype, "r", shape=(size,))) if size else np.empty(0, dtype)
