"""What a task makes of some users' interactions: one row a user, by the arithmetic of a fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from reco_engine.data.interactions import Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.recommenders.taken import Taken
from reco_engine.types import Ids

from .tables import COLUMNS, Part, ids_of

CHUNK = 200_000
"""Interactions of whole users that are folded at once."""


class Fold(Protocol):
    """Whole users' interactions to their rows, sorted by user."""

    def __call__(self, interactions: Interactions) -> sparse.csr_matrix:
        """Shape (n_users, n_items), columns sorted."""


@dataclass(frozen=True)
class Faded:
    """What item-based CF reads: faded weights, repeats summed, in whole grains."""

    item_ids: Ids
    at: float
    half_life: float

    def __call__(self, interactions: Interactions) -> sparse.csr_matrix:
        weights = Taken.of(interactions, self.at, self.half_life).weights
        columns = codes_of(self.item_ids, interactions.item_ids).astype(np.int32)[weights.indices]
        shape = (interactions.n_users, self.item_ids.size)
        return sparse.csr_matrix((weights.data, columns, weights.indptr), shape=shape)


@dataclass(frozen=True)
class Takers:
    """What popularity and content count: each user's share of an item's takers, 1 at most; other items are left out."""

    item_ids: Ids
    at: float
    half_life: float

    def __call__(self, interactions: Interactions) -> sparse.csr_matrix:
        fading = half_life_weights(interactions.ages(self.at), self.half_life)
        matrix = interactions.matrix_over(self.item_ids, fading)
        matrix.data = np.minimum(matrix.data, 1.0)
        return matrix


@dataclass(frozen=True)
class Folding:
    """Folds a stream of interactions, sorted by user, in chunks of whole users."""

    fold: Fold

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        """Arrow batches of a table to Arrow batches of rows: user, items (codes) and weights."""
        import pyarrow as pa

        waiting: list[Any] = []
        for batch in batches:
            if batch.num_rows == 0:
                continue
            waiting.append(batch)
            if sum(each.num_rows for each in waiting) >= CHUNK:
                table = pa.Table.from_batches(waiting)
                end = _last_user(table.column("user"))
                yield from self._rows(table.slice(0, end))
                waiting = table.slice(end).to_batches()
        if waiting:
            yield from self._rows(pa.Table.from_batches(waiting))

    def _rows(self, table: Any) -> Iterator[Any]:
        import pyarrow as pa

        if table.num_rows == 0:
            return
        numbers = (np.asarray(table.column(name)) for name in COLUMNS[2:])
        users = table.column("user")
        part = Part(ids_of(users), ids_of(table.column("item")), *numbers)
        interactions = part.interactions()
        matrix = self.fold(interactions)
        starts = pa.array(matrix.indptr.astype(np.int32))
        yield pa.record_batch(
            [
                pa.array(interactions.user_ids.tolist(), users.type),
                pa.ListArray.from_arrays(starts, pa.array(matrix.indices.astype(np.int32))),
                pa.ListArray.from_arrays(starts, pa.array(matrix.data.astype(np.float64))),
            ],
            names=["user", "items", "weights"],
        )


def _last_user(users: Any) -> int:
    """Where the last user of a sorted column begins, who may go on in the next batch."""
    ids = ids_of(users)
    return int(np.searchsorted(ids, ids[-1]))
