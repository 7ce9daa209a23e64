"""The ways to fill a missing value; ``missing`` applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError

from .interactions import _ids, codes_of

Numbers = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]
Filled = Callable[[Arrays], Numbers]
"""From columns, what each row's value would be if it were missing; NaN where that is not known."""


class Way(Protocol):
    """How one column's missing values are treated."""

    @property
    def name(self) -> str: ...

    def fit(self, columns: Arrays, column: str, *, seed: int) -> Filled:
        """Learn from the known values of ``column``."""


@dataclass(frozen=True)
class Drop:
    """Drop the rows; there is nothing to fill then."""

    name: ClassVar[str] = "drop"

    def fit(self, columns: Arrays, column: str, *, seed: int) -> Filled:
        return partial(_everywhere, np.nan)


@dataclass(frozen=True)
class Mean:
    """The mean of the known training values; with ``by``, of those with the same value of that column."""

    by: str | None = None
    name: ClassVar[str] = "mean"

    def fit(self, columns: Arrays, column: str, *, seed: int) -> Filled:
        known = ~np.isnan(columns[column])
        values = columns[column][known]
        if self.by is not None:
            keys, places = np.unique(_keys(columns, self.by)[known], return_inverse=True)
            means = np.bincount(places, values, minlength=keys.size) / np.bincount(places, minlength=keys.size)
            return partial(_mean_of_key, self.by, keys, means)
        return partial(_everywhere, float(values.mean()) if values.size else np.nan)


@dataclass(frozen=True)
class Interpolation:
    """On the line between the known training values before and after, in time; at the ends, the nearest one.

    With ``by``, each value of that column (an item, say) has a line of its own. Several values at one time
    count as their mean.
    """

    over: str = "timestamps"
    by: str | None = None
    name: ClassVar[str] = "interpolation"

    def fit(self, columns: Arrays, column: str, *, seed: int) -> Filled:
        known = ~np.isnan(columns[column])
        times, keys = numbers_of(columns, self.over), self.keys(columns)
        if np.isnan(times).any():
            raise BadInputError(f"column {self.over!r} must have no missing times to interpolate over; drop those rows")
        return _Lines.through(keys[known], times[known], columns[column][known], self).at

    def keys(self, columns: Arrays) -> npt.NDArray[Any]:
        """Which line each row is on, shape (n_rows,)."""
        if self.by is None:
            return np.zeros(columns[self.over].size, dtype=np.int64)
        return _keys(columns, self.by)


@dataclass(frozen=True)
class Prediction:
    """What a scikit-learn regressor makes of other columns, learnt where the value is known.

    Args:
        of: The columns to predict from, numbers.
        model: Cloned before it is fitted, and seeded where it can be; by default gradient-boosted trees, which
            take missing values in ``of`` as they are.
    """

    of: tuple[str, ...]
    model: Any = None
    name: ClassVar[str] = "prediction"

    def fit(self, columns: Arrays, column: str, *, seed: int) -> Filled:
        from sklearn.base import clone
        from sklearn.ensemble import HistGradientBoostingRegressor

        known = ~np.isnan(columns[column])
        table = self._table(columns)
        if not known.any():
            return partial(_everywhere, np.nan)
        model = HistGradientBoostingRegressor() if self.model is None else clone(self.model)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        try:
            model.fit(table[known], columns[column][known])
        except ValueError as error:
            raise _unpredictable(column, model, error) from error
        return partial(self._predicted, model, column)

    def _predicted(self, model: Any, column: str, columns: Arrays) -> Numbers:
        table = self._table(columns)
        if not len(table):
            return np.empty(0)
        try:
            return np.asarray(model.predict(table), dtype=np.float64)
        except ValueError as error:
            raise _unpredictable(column, model, error) from error

    def _table(self, columns: Arrays) -> Numbers:
        return np.stack([numbers_of(columns, name) for name in self.of], axis=1)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Known points of every key, sorted by key and time, one a time."""

    way: Interpolation
    keys: npt.NDArray[Any]  # sorted, (n_keys,)
    instants: Numbers  # sorted, (n_instants,)
    places: npt.NDArray[np.int64]  # key and instant of each point as one number, sorted, (n_points,)
    values: Numbers  # (n_points,)

    @classmethod
    def through(cls, keys: npt.NDArray[Any], times: Numbers, values: Numbers, way: Interpolation) -> _Lines:
        known_keys, codes = np.unique(keys, return_inverse=True)
        instants, ranks = np.unique(times, return_inverse=True)
        places, points = np.unique(codes.astype(np.int64) * (instants.size + 1) + ranks + 1, return_inverse=True)
        means = np.bincount(points, values, minlength=places.size) / np.bincount(points, minlength=places.size)
        return cls(way, known_keys, instants, places, means)

    def at(self, columns: Arrays) -> Numbers:
        times, codes = numbers_of(columns, self.way.over), codes_of(self.keys, self.way.keys(columns))
        result = np.full(times.size, np.nan)
        rows = np.flatnonzero((codes >= 0) & ~np.isnan(times))
        step = self.instants.size + 1
        first = codes[rows] * step
        after = np.searchsorted(self.places, first + np.searchsorted(self.instants, times[rows], "right"), "right")
        low, high = np.searchsorted(self.places, first), np.searchsorted(self.places, first + step) - 1
        earlier, later = np.clip(after - 1, low, high), np.clip(after, low, high)
        start, stop = (self.instants[self.places[points] % step - 1] for points in (earlier, later))
        share = np.divide(times[rows] - start, stop - start, out=np.zeros(rows.size), where=stop > start)
        share = np.clip(share, 0.0, 1.0)
        result[rows] = self.values[earlier] * (1 - share) + self.values[later] * share
        return result


def numbers_of(columns: Arrays, name: str) -> Numbers:
    """One column as numbers, NaN where unknown.

    Raises:
        BadInputError: If there is no such column, it has no numbers, or infinite ones.
    """
    if name not in columns:
        raise _no_column(name, columns)
    try:
        numbers = np.asarray(columns[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInputError(f"column {name!r} must be numbers, NaN where unknown: {error}") from error
    if np.isinf(numbers).any():
        raise BadInputError(f"column {name!r} has infinite values; clean them first")
    return numbers


def _keys(columns: Arrays, by: str) -> npt.NDArray[Any]:
    if by not in columns:
        raise _no_column(by, columns)
    return _ids(columns[by])


def _mean_of_key(by: str, keys: npt.NDArray[Any], means: Numbers, columns: Arrays) -> Numbers:
    places = codes_of(keys, _keys(columns, by))
    return np.where(places >= 0, np.append(means, np.nan)[places], np.nan)


def _everywhere(value: float, columns: Arrays) -> Numbers:
    return np.full(next(iter(columns.values())).size, value)


def _unpredictable(column: str, model: Any, error: ValueError) -> BadInputError:
    return BadInputError(f"column {column!r} cannot be predicted by {type(model).__name__}: {error}")


def _no_column(name: str, columns: Arrays) -> BadInputError:
    return BadInputError(f"there is no column {name!r}; there are {', '.join(map(repr, sorted(columns)))}")
