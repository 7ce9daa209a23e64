"""Missing values: dropped, or filled by mean, interpolation over time or a model, as chosen for each column.

What fills a value is learnt once, from training columns, so that a live event is filled as those were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError

from .filling import Drop, Filled, Way, numbers_of

Mask = npt.NDArray[np.bool_]
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class ColumnReport:
    """What became of one column's missing values, in rows."""

    way: str
    missing: int
    filled: int
    dropped: int
    left: int  # nothing was known that could have filled them


@dataclass(frozen=True)
class MissingReport:
    """Rows in, rows out, and how many values of each column were filled how."""

    rows_in: int
    rows_out: int
    columns: Mapping[str, ColumnReport]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)


@dataclass
class MissingValues:
    """How to treat the missing values (NaN) of some columns; the others are left as they are.

    ``ways`` maps a column to ``Drop()``, ``Mean()``, ``Interpolation(...)`` or ``Prediction(...)``. Rows are
    dropped first; the rest is filled from what was known, never from what another way has filled.
    """

    ways: Mapping[str, Way]
    filled_: Mapping[str, Filled] = field(init=False, repr=False)

    def fit(self, columns: Columns, *, seed: int = 0) -> Self:
        """Learn from training columns, each of shape (n_rows,).

        Raises:
            BadInputError: If a column that a way names is missing, is no number, or has another length.
        """
        known, _ = self._kept(columns)
        self.filled_ = {name: way.fit(known, name, seed=seed) for name, way in self.ways.items()}
        return self

    def apply(self, columns: Columns) -> tuple[dict[str, npt.NDArray[Any]], Mask, MissingReport]:
        """Fill these columns, training or live ones, by what was learnt.

        Returns:
            The columns with ``n_kept`` rows each, which rows these are (shape (n_rows,)), and the report.
        """
        kept, keep = self._kept(columns)
        result, reports = dict(kept), {}
        for name, way in self.ways.items():
            missing = np.isnan(np.asarray(columns[name], dtype=np.float64))
            wanted = np.isnan(kept[name])
            result[name] = np.where(wanted, self.filled_[name](kept), kept[name])
            left = int(np.count_nonzero(np.isnan(result[name])))
            reports[name] = ColumnReport(
                way=way.name,
                missing=int(np.count_nonzero(missing)),
                filled=int(np.count_nonzero(wanted)) - left,
                dropped=int(np.count_nonzero(missing & ~keep)),
                left=left,
            )
        return result, keep, MissingReport(keep.size, int(np.count_nonzero(keep)), reports)

    def _kept(self, columns: Columns) -> tuple[dict[str, npt.NDArray[Any]], Mask]:
        """The columns without the rows that are dropped, and which rows stay."""
        arrays = {name: np.asarray(column) for name, column in columns.items()}
        sizes = {name: array.shape for name, array in arrays.items()}
        if len(set(sizes.values())) > 1 or any(len(shape) != 1 for shape in sizes.values()):
            raise BadInputError(f"columns must be flat and of one length, not {sizes}")
        for name in self.ways:
            arrays[name] = numbers_of(arrays, name)
        keep = np.ones(next(iter(sizes.values()), (0,)), dtype=bool)
        for name, way in self.ways.items():
            if isinstance(way, Drop):
                keep &= ~np.isnan(arrays[name])
        return {name: array[keep] for name, array in arrays.items()}, keep
