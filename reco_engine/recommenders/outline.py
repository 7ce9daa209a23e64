"""A feature matrix in outline: a tenth of the work tells which rows can be among the best at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

SHARE = 0.1
"""Of the matrix' cells, those that the outline has itself."""
ROUNDING = 1.0001
"""More than sums in single precision may be off by."""


@dataclass(frozen=True)
class Outline:
    """The columns whose cells are largest, category and brand rather than syllables, and the length of the rest.

    Attributes:
        heavy: Rows by features, empty but for those columns.
        light: Which columns it leaves out, shape (n_features,).
        lengths: Of what it leaves out of each row, shape (n_rows,).
    """

    heavy: sparse.csr_matrix
    light: npt.NDArray[np.bool_]
    lengths: Floats

    @classmethod
    def of(cls, rows: sparse.csr_matrix) -> Self:
        """Of a matrix whose cells are zero or more."""
        n = rows.shape[1]
        sizes = np.bincount(rows.indices, minlength=n)
        means = np.bincount(rows.indices, rows.data, minlength=n) / np.maximum(sizes, 1)
        order = np.argsort(-means, kind="stable")
        light = np.ones(n, dtype=bool)
        light[order[np.cumsum(sizes[order]) <= SHARE * rows.nnz]] = False
        return cls._over(rows, light)

    def beside(self, more: sparse.csr_matrix, order: npt.NDArray[np.int64]) -> Self:
        """This outline and that of more rows by the same columns, all rows in another order."""
        other = self._over(more, self.light)
        heavy = sparse.vstack([self.heavy, other.heavy], format="csr")[order]
        return type(self)(heavy, self.light, np.concatenate([self.lengths, other.lengths])[order])

    @classmethod
    def _over(cls, rows: sparse.csr_matrix, light: npt.NDArray[np.bool_]) -> Self:
        left = light[rows.indices]
        starts = np.concatenate([[0], np.cumsum(~left)])[rows.indptr].astype(np.int32)
        heavy = sparse.csr_matrix((rows.data[~left], rows.indices[~left], starts), shape=rows.shape)
        squares = np.concatenate([[0.0], np.cumsum(np.where(left, rows.data, 0.0).astype(np.float64) ** 2)])
        lengths = np.sqrt(np.maximum(np.diff(squares[rows.indptr]), 0.0)).astype(np.float32)
        return cls(heavy, light, lengths)

    def at_most(self, taste: Floats) -> Floats:
        """What each row's product with ``taste``, zero or more, does not exceed, shape (n_rows,).

        The rest of a product is the two lengths multiplied at most (Cauchy and Schwarz).
        """
        rest = np.float32(np.linalg.norm(taste[self.light])) * self.lengths
        return np.asarray(np.float32(ROUNDING) * (self.heavy @ taste + rest), dtype=np.float32)
