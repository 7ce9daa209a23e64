"""How alike two items are by who took them: the formula of item-based CF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

from .products import Factors, best_products
from .spectral import SpectralTerm
from .taken import Taken, power

SAMPLE = 256
"""Source items by which the spectral term's unit is set."""


@dataclass(frozen=True)
class Similarity:
    """``s_ij = sum_u n_u^-p x_ui x_uj / (|x_i|^2a |x_j|^2g)`` plus a spectral term.

    Attributes:
        activity: p, how much an active user's pairs are damped.
        source_exponent: a.
        target_exponent: g.
        popularity: ``|x_i|^2`` of each item, shape (n_items,).
        spectral: None where there is none.
        min_support: Users behind each pair, at least.
    """

    activity: float
    source_exponent: float
    target_exponent: float
    popularity: Floats
    spectral: SpectralTerm | None = None
    min_support: int = 1

    def rows(
        self,
        taken: Taken,
        sources: npt.NDArray[np.int64],
        n_best: int,
        progress: Callable[[float], None] | None = None,
    ) -> sparse.csr_matrix:
        """The best targets of some source items, shape (n_sources, n_items); needs the extra ``train``."""
        factors = Factors(*self.sides(taken.roots()), self.spectral, self.min_support)
        return best_products(factors, sources, n_best, progress)

    def sides(
        self, roots: sparse.csr_matrix, sources: slice = slice(None)
    ) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """The two matrices whose product is the formula's sum, for all users or some of them.

        Args:
            roots: What each took, shape (n_users, n_items), float64.
            sources: The items whose rows are asked for.
        Returns:
            Shapes (n_sources, n_users) and (n_users, n_items), float32.
        """
        active = power(np.diff(roots.indptr).astype(np.float64), -self.activity)
        right = _single(sparse.diags(active) @ roots @ sparse.diags(power(self.popularity, -self.target_exponent)))
        own = roots if sources == slice(None) else sparse.csr_matrix(roots[:, sources])
        left = _single(sparse.diags(power(self.popularity[sources], -self.source_exponent)) @ own.T.tocsr())
        return left, right

    def with_term(self, taken: Taken, *, weight: float, n_factors: int, seed: int) -> Similarity:
        """With a spectral term, in units in which the best targets of both terms score alike on average."""
        term = SpectralTerm.of(taken.roots(), self.popularity, n_factors, seed)
        some = np.unique(np.linspace(0, self.popularity.size - 1, SAMPLE).astype(np.int64))
        dense = term.rows(some)
        dense[np.arange(some.size), some] = 0.0
        own, other = self.rows(taken, some, 1).sum() / some.size, float(dense.max(axis=1).mean())
        return replace(self, spectral=term.times(weight * own / other) if own > 0 and other > 0 else None)

    def over(self, taken: Taken, places: npt.NDArray[np.int64]) -> Similarity:
        """The same over other items: those of before, at ``places`` (-1: gone), keep what they have.

        The popularity of the others is what is taken of them now; the spectral term says nothing of them.
        """
        popularity = taken.popularity()
        popularity[places[places >= 0]] = self.popularity[places >= 0]
        spectral = None if self.spectral is None else self.spectral.over(popularity.size, places)
        return replace(self, popularity=popularity, spectral=spectral)


def _single(matrix: Any) -> sparse.csr_matrix:
    return sparse.csr_matrix(matrix.astype(np.float32))  # which sorts columns, too: sums have one order
