"""How sure a mean over shoppers is: bootstrap percentile intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.seeds import generator

Figures = npt.NDArray[np.float64]
CELLS = 500_000
"""Draws that are held at once: few enough to stay in the cache."""


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds of its interval; all NaN when there was nothing to average."""

    mean: float
    low: float
    high: float


def bootstrap_intervals(
    figures: Any, *, seed: int = 0, n_samples: int = 1000, confidence: float = 0.95
) -> list[Interval]:
    """The mean of each column, with the percentiles of the means of resampled rows.

    All columns share the resamples, so that a row is a shopper throughout. NaN is left out.

    Args:
        figures: Shape (n_users, n_columns).
    Raises:
        BadInputError: If the shape is another one, or ``confidence`` is not between 0 and 1.
    Source:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    table = np.asarray(figures, dtype=np.float64)
    if table.ndim != 2:
        raise BadInputError(f"figures must have one row a user and one column a measure, not shape {table.shape}")
    if not 0 < confidence < 1:
        raise BadInputError(f"confidence must be between 0 and 1, not {confidence}")
    known = ~np.isnan(table)
    values = np.where(known, table, 0.0)
    tail = 50 * (1 - confidence)
    resampled = _means(values, known.astype(np.float64), generator(seed, "bootstrap"), n_samples)
    intervals = []
    for column in range(table.shape[1]):
        of_column = resampled[:, column][~np.isnan(resampled[:, column])]
        if of_column.size == 0:
            intervals.append(Interval(np.nan, np.nan, np.nan))
            continue
        low, high = np.percentile(of_column, [tail, 100 - tail])
        mean = values[:, column].sum() / known[:, column].sum()
        intervals.append(Interval(float(mean), float(low), float(high)))
    return intervals


def bootstrap_interval(figures: Any, *, seed: int = 0, n_samples: int = 1000, confidence: float = 0.95) -> Interval:
    """As ``bootstrap_intervals``, for one figure a user, shape (n_users,)."""
    column = np.asarray(figures, dtype=np.float64).reshape(-1, 1)
    return bootstrap_intervals(column, seed=seed, n_samples=n_samples, confidence=confidence)[0]


def paired_interval(
    figures: Any, others: Any, *, seed: int = 0, n_samples: int = 1000, confidence: float = 0.95
) -> Interval:
    """The mean of ``figures - others``, two measures of the same users: above zero throughout means better.

    Raises:
        BadInputError: If the shapes differ.
    """
    ours, theirs = np.asarray(figures, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if ours.shape != theirs.shape:
        raise BadInputError(f"others must be of the same users as figures: {ours.shape}, not {theirs.shape}")
    return bootstrap_interval(ours - theirs, seed=seed, n_samples=n_samples, confidence=confidence)


def _means(values: Figures, known: Figures, rng: np.random.Generator, n_samples: int) -> Figures:
    """Means of resampled rows, shape (n_samples, n_columns); NaN where a resample has no value of a column."""
    n_rows, n_columns = values.shape
    if n_rows == 0:
        return np.full((n_samples, n_columns), np.nan)
    size = max(1, CELLS // n_rows)
    blocks = []
    for start in range(0, n_samples, size):
        n_block = min(size, n_samples - start)
        drawn = rng.integers(0, n_rows, (n_block, n_rows), dtype=np.int32)
        drawn += np.arange(n_block, dtype=np.int32)[:, None] * n_rows
        times = np.bincount(drawn.ravel(), minlength=n_block * n_rows).reshape(n_block, n_rows).astype(np.float64)
        sums, counts = times @ values, times @ known
        blocks.append(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))
    return np.concatenate(blocks)
