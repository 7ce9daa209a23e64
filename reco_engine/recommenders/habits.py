"""What a shopper's own days with an item say of the next one: how often, how lately, how far through the interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats

FAINT = 0.01
"""A faded count at and below which differences mean little; keeps its logarithm finite."""


@dataclass(frozen=True)
class Days:
    """The days on which pairs of shopper and item came together, pair by pair, newest first.

    Attributes:
        pairs: Which pair, 0 to ``n_pairs`` - 1; each occurs. Shape (n_days,).
        ages: Days since, zero or more, shape (n_days,).
        weights: How much the day counts, shape (n_days,).
    """

    pairs: npt.NDArray[np.int64]
    ages: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    n_pairs: int


def days_of(
    pairs: npt.NDArray[np.int64],
    ages: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    *,
    n_pairs: int,
    dated: bool = True,
) -> Days:
    """Fold interactions into days: several of one pair within a day count as the heaviest of them.

    A day is 24 hours counted back from the instant of the ages, in any time zone. Undated interactions each
    count as a day of their own.
    """
    order = np.lexsort((ages, pairs))
    pairs, ages, weights = pairs[order], ages[order], weights[order]
    if dated and pairs.size:
        day = np.floor(ages)
        first = np.flatnonzero(np.r_[True, (np.diff(pairs) > 0) | (np.diff(day) > 0)])
        pairs, ages, weights = pairs[first], ages[first], np.maximum.reduceat(weights, first)
    return Days(pairs, ages, weights, n_pairs)


def faded_counts(days: Days, half_life: float) -> npt.NDArray[np.float64]:
    """Each pair's days, halving in weight every ``half_life`` days, shape (n_pairs,)."""
    faded = days.weights * half_life_weights(days.ages, half_life)
    return np.asarray(np.bincount(days.pairs, faded, minlength=days.n_pairs))


def habits_of(days: Days, half_lives: Floats) -> npt.NDArray[np.float64]:
    """Numbers that tell how strong a habit is and whether it is due, shape (n_pairs, len(half_lives) + 1).

    The logarithms of the counts faded with each half-life, in days, then ``log(2 + r)``, where r is the time
    since the last day over the pair's mean interval: 1 where it is just due; -1 for a pair with one day only.
    """
    counts = [np.log(faded_counts(days, float(half_life)) + FAINT) for half_life in half_lives]
    sizes = np.bincount(days.pairs, minlength=days.n_pairs)
    stops = np.cumsum(sizes)
    last, first = days.ages[stops - sizes], days.ages[stops - 1]
    intervals = np.maximum((first - last) / np.maximum(sizes - 1, 1), 0.5)
    return np.stack([*counts, np.log(2.0 + np.where(sizes > 1, last / intervals, -1.0))], axis=1)
