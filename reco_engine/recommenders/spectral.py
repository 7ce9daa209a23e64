"""The low-rank term of item-based CF: what a graph filter keeps of who took what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

from .taken import power

EXACT = 2**24
"""Whole numbers up to this are exact in float32, however they are summed."""


@dataclass(frozen=True)
class SpectralTerm:
    """``D^-1/2 V V' D^1/2``, one row of targets for each source item.

    V's rows are rounded to whole numbers so small that their products are exact in float32: an entry is the
    same to the bit whatever the block, the thread or the machine that computes it.

    Attributes:
        levels: V in whole numbers, one scale a row, shape (n_items, n_factors).
        sources: What a source's row is multiplied with, shape (n_items,).
        targets: What a target's column is multiplied with, shape (n_items,).

    Source:
        Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021 (GF-CF).
    """

    levels: npt.NDArray[np.float32]
    sources: npt.NDArray[np.float32]
    targets: npt.NDArray[np.float32]

    @classmethod
    def of(cls, matrix: sparse.csr_matrix, popularity: Floats, n_factors: int, seed: int) -> Self:
        """From users by items, float64, and the items' popularity (sums of squares)."""
        rank = min(n_factors, min(matrix.shape) - 1)
        if rank < 1:
            empty = np.zeros(matrix.shape[1], np.float32)
            return cls(np.zeros((matrix.shape[1], 1), np.float32), empty, empty)
        activity = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
        normal = sparse.diags(power(activity, -0.5)) @ matrix @ sparse.diags(power(popularity, -0.5))
        from sklearn.utils.extmath import randomized_svd  # here: a web process does without

        _, _, vectors = randomized_svd(normal.astype(np.float32).tocsr(), rank, n_iter=2, random_state=seed)
        highest = float(np.floor(np.sqrt(EXACT / rank)))
        widest = np.abs(vectors).max(axis=0)
        scales = np.where(widest > 0, widest, 1.0) / highest
        return cls(
            np.rint(vectors.T / scales[:, None]).astype(np.float32),
            (scales * power(popularity, -0.5)).astype(np.float32),
            (scales * power(popularity, 0.5)).astype(np.float32),
        )

    @classmethod
    def none(cls) -> Self:
        """The term that is not there."""
        return cls(np.zeros((0, 0), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))

    def times(self, weight: float) -> SpectralTerm:
        """The same term, counting ``weight`` times as much."""
        return SpectralTerm(self.levels, (self.sources * np.float32(weight)).astype(np.float32), self.targets)

    def over(self, n_items: int, places: npt.NDArray[np.int64]) -> SpectralTerm:
        """The same term over other items, those of before at ``places`` (-1: gone); it says nothing of the others."""
        known = places >= 0
        levels = np.zeros((n_items, self.levels.shape[1]), np.float32)
        sources, targets = np.zeros((2, n_items), np.float32)
        levels[places[known]] = self.levels[known]
        sources[places[known]], targets[places[known]] = self.sources[known], self.targets[known]
        return SpectralTerm(levels, sources, targets)

    def rows(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The rows of some sources, dense, shape (n_places, n_items)."""
        products = self.levels[places] @ self.levels.T
        products *= self.sources[places][:, None]
        products *= self.targets
        return products
