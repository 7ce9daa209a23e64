"""Who took what and how much, as sums that are exact in any order, so that later events can be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Ids

GRAIN = 2.0**-24
"""Faded weights are whole multiples of this; their sums are exact in float64 whatever the order of the events."""


@dataclass(frozen=True)
class Taken:
    """Faded weights, repeats summed: ``weights`` has shape (n_users, n_items), over sorted ids."""

    user_ids: Ids
    item_ids: Ids
    weights: sparse.csr_matrix

    @classmethod
    def of(cls, interactions: Interactions, at: float, half_life: float) -> Self:
        """Read interactions as they look at the instant ``at``."""
        faded = interactions.weights * half_life_weights(interactions.ages(at), half_life)
        grains = np.where(faded > 0, np.maximum(np.rint(faded / GRAIN), 1.0) * GRAIN, 0.0)
        matrix = interactions.matrix(grains)
        matrix.eliminate_zeros()
        return cls(interactions.user_ids, interactions.item_ids, matrix)

    def roots(self) -> sparse.csr_matrix:
        """Square roots of the weights: a tenth purchase says less than the first."""
        return sparse.csr_matrix((np.sqrt(self.weights.data), self.weights.indices, self.weights.indptr), self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        return self.user_ids.size, self.item_ids.size

    def popularity(self) -> npt.NDArray[np.float64]:
        """What is taken of each item in all, shape (n_items,): the square of its column of roots."""
        counts = np.bincount(self.weights.indices, self.weights.data, minlength=self.item_ids.size)
        return np.asarray(counts, dtype=np.float64)

    def plus(self, later: Taken) -> Taken:
        """Both together, over the ids of both."""
        users = np.union1d(self.user_ids, later.user_ids)
        items = np.union1d(self.item_ids, later.item_ids)
        both = _over(users, items, self) + _over(users, items, later)
        return Taken(users, items, sparse.csr_matrix(both))

    def touched(self, now: Taken) -> Ids:
        """The items that some user took, before or ``now``, whose row is not the same in both."""
        users, items = np.union1d(self.user_ids, now.user_ids), np.union1d(self.item_ids, now.item_ids)
        before, after = _over(users, items, self), _over(users, items, now)
        differ: Any = before != after
        changed = np.diff(differ.indptr) > 0
        touched = np.zeros(items.size, dtype=bool)
        touched[before[changed].indices] = True
        touched[after[changed].indices] = True
        return items[touched]

    def some(self, n_pairs: int, rng: np.random.Generator) -> Taken:
        """What users drawn at random took, so many pairs at most; all where there are no more."""
        sizes = np.diff(self.weights.indptr)
        if self.weights.nnz <= n_pairs:
            return self
        order = rng.permutation(sizes.size)
        drawn = np.sort(order[np.cumsum(sizes[order], dtype=np.int64) <= n_pairs])
        return Taken(self.user_ids[drawn], self.item_ids, sparse.csr_matrix(self.weights[drawn]))

    def without_rows(self) -> Taken:
        """The same items, and nobody who took them."""
        return Taken(self.user_ids[:0], self.item_ids, sparse.csr_matrix((0, self.item_ids.size)))


def _over(user_ids: Ids, item_ids: Ids, taken: Taken) -> sparse.csr_matrix:
    """The same weights in the rows and columns of more ids."""
    sizes = np.zeros(user_ids.size, dtype=np.int64)
    sizes[codes_of(user_ids, taken.user_ids)] = np.diff(taken.weights.indptr)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    columns = codes_of(item_ids, taken.item_ids)[taken.weights.indices].astype(np.int32)
    return sparse.csr_matrix((taken.weights.data, columns, starts), shape=(user_ids.size, item_ids.size))


def power(values: npt.NDArray[Any], exponent: float) -> npt.NDArray[np.float64]:
    """``values ** exponent``; zero where a value is zero, whatever the exponent."""
    return np.where(values > 0, np.maximum(values, 1e-12) ** exponent, 0.0)
