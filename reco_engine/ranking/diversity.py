"""Less of the same in one list, for a share of its score that the caller sets and the list never exceeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import codes_of
from reco_engine.errors import BadInputError
from reco_engine.recommenders.base import best_places
from reco_engine.types import Floats, Ids

Places: TypeAlias = npt.NDArray[np.int64]
Likeness: TypeAlias = Callable[[int], Floats]
"""How like each candidate is to the one at a place, 0 (nothing shared) to 1 (the same), shape (n_candidates,)."""


def diversified(
    scores: Floats,
    likeness: Likeness,
    n: int,
    *,
    strength: float = 0.3,
    max_loss: float = 0.05,
    n_considered: int = 100,
) -> Places:
    """Choose ``n`` candidates one by one, each the best trade of its score against its likeness to those chosen.

    The trade is ``(1 - strength) r_i - strength max_chosen likeness_ij``; ``r`` are the scores stretched to 0 (the
    worst considered) to 1 (the best). Only what keeps the bound may be chosen: the scores of the chosen sum to
    at least ``(1 - max_loss)`` times what the ``n`` best sum to, exactly (where some are below zero, the sum falls
    short by ``max_loss`` times the sum of their sizes at most). ``max_loss`` 0 leaves the order to be changed.

    Args:
        scores: Shape (n_candidates,), NaN for "no opinion", which is never chosen.
        likeness: Asked ``n - 1`` times at most.
        n: Items wanted; fewer are chosen where fewer have a score.
        strength: What likeness counts, 0 (nothing) to 1 (everything).
        max_loss: Share of the score that may be lost, 0 to 1.
        n_considered: Candidates that are looked at, the best ones, never fewer than ``n``.
    Returns:
        Places of the chosen in the order of choice, ties by score, then place.
    Raises:
        BadInputError: If ``strength`` or ``max_loss`` is no share.
    Source:
        Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
        summaries", SIGIR 1998.
    """
    for name, value in (("strength", strength), ("max_loss", max_loss)):
        if not 0.0 <= value <= 1.0:
            raise BadInputError(f"{name} must lie between 0 and 1, not {value}")
    pool = best_places(scores, max(n, n_considered))
    n = min(max(n, 0), pool.size)
    if n == 0:
        return pool[:0]
    values = scores[pool].astype(np.float64)
    gains = (1.0 - strength) * _stretched(values)
    budget = _Budget(values, n, max_loss)
    nearest = np.zeros(pool.size)
    chosen: list[int] = []
    while True:
        trade = np.where(budget.affordable(), gains - strength * nearest, -np.inf)
        chosen.append(int(np.argmax(trade)))
        if len(chosen) == n:
            return pool[chosen]
        budget.spend(chosen[-1])
        nearest = np.maximum(nearest, likeness(int(pool[chosen[-1]]))[pool])


class _Budget:
    """What may still be chosen if the best of the rest follow; sums are exact, so that the bound is."""

    def __init__(self, values: npt.NDArray[np.float64], n: int, max_loss: float) -> None:
        best = [Fraction(value) for value in values[:n].tolist()]
        self._values = values  # best first
        self._free = np.ones(values.size, dtype=bool)
        self._plan = list(range(n))  # the best of the rest, best first
        self._total = sum(best, Fraction(0))  # of those chosen and planned
        self._least = self._total - Fraction(max_loss) * sum((abs(value) for value in best), Fraction(0))

    def affordable(self) -> npt.NDArray[np.bool_]:
        """Which candidates may come next, in place of the last one planned."""
        need = self._least - self._total + Fraction(float(self._values[self._plan[-1]]))
        bound = float(need)
        if Fraction(bound) < need:
            bound = float(np.nextafter(bound, np.inf))
        return self._free & (self._values >= bound)

    def spend(self, place: int) -> None:
        """Choose ``place``; the last one planned makes room unless it was planned itself."""
        self._free[place] = False
        if place in self._plan:
            self._plan.remove(place)
        else:
            last = self._plan.pop()
            self._total += Fraction(float(self._values[place])) - Fraction(float(self._values[last]))


def _stretched(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Best first, 1 to 0; all 0 where they are alike."""
    spread = float(values[0] - values[-1])
    return (values - values[-1]) / spread if spread > 0 else np.zeros(values.size)


class Alike(Protocol):
    """Says how like each other items are."""

    def among(self, items: Ids) -> Likeness:
        """Likeness among these candidates, in their order; one that is unknown is like no other one."""


@dataclass(frozen=True)
class FeatureLikeness:
    """Cosine of two items' features; an item without features is like no other one.

    Attributes:
        item_ids: Sorted, shape (n_items,).
        features: Rows of length 1 or 0, zero or more, shape (n_items, n_features).
    """

    item_ids: Ids
    features: sparse.csr_matrix

    @classmethod
    def of(cls, item_ids: Ids, features: Any) -> FeatureLikeness:
        """From any feature matrix without negative values, sparse or dense.

        Raises:
            BadInputError: If it has not one row per item, or a value below zero.
        """
        matrix = sparse.csr_matrix(features, dtype=np.float64)
        if matrix.shape[0] != item_ids.size:
            raise BadInputError(f"features must have one row per item: {item_ids.size}, not {matrix.shape[0]}")
        if np.any(matrix.data < 0):
            raise BadInputError("features must be zero or more; likeness lies between 0 and 1")
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        scaled = sparse.diags(1.0 / np.where(lengths > 0, lengths, 1.0)) @ matrix
        return cls(item_ids, sparse.csr_matrix(scaled))

    @classmethod
    def of_groups(cls, item_ids: Ids, groups: Any) -> FeatureLikeness:
        """1 for two items of one group (a category, a brand), else 0; an empty name is no group."""
        names, columns = np.unique(np.asarray([str(group) for group in groups], dtype="U"), return_inverse=True)
        grouped = np.asarray(names[columns] != "", dtype=np.float64)
        rows = np.arange(columns.size)
        return cls.of(item_ids, sparse.csr_matrix((grouped, (rows, columns)), shape=(columns.size, names.size)))

    def among(self, items: Ids) -> Likeness:
        """Likeness among these candidates, in their order; one that is unknown is like no other one."""
        places = codes_of(self.item_ids, items)
        rows = self.features[np.maximum(places, 0)]
        known = places >= 0

        def likeness(place: int) -> Floats:
            if not known[place]:
                return np.zeros(places.size)
            cosines = np.asarray((rows @ rows[place].T).todense()).ravel()
            return np.asarray(np.minimum(cosines, 1.0) * known)

        return likeness


@dataclass(frozen=True)
class Diversity:
    """How a list is made less uniform: what two items have in common, and what that may cost."""

    alike: Alike
    strength: float = 0.3
    max_loss: float = 0.05
    n_considered: int = 100

    def places(self, items: Ids, scores: Floats, n: int) -> Places:
        """As ``diversified``, for candidates ``items`` and their ``scores``, both shape (n_candidates,)."""
        considered = np.sort(best_places(scores, max(n, self.n_considered)))
        chosen = diversified(
            scores[considered],
            self.alike.among(items[considered]),
            n,
            strength=self.strength,
            max_loss=self.max_loss,
            n_considered=self.n_considered,
        )
        return considered[chosen]
