"""How often something happens, with an interval over people: what one does in several lists is no independent proof."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from reco_engine.errors import BadInputError
from reco_engine.types import Floats

LEAST = 10
"""Groups with something in them below which a spread between them says little."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its variance, which ``freedom`` degrees of freedom stand behind; NaN where too little is known."""

    value: float
    variance: float
    freedom: float

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """The interval that covers the truth in ``level`` of all cases; None where too little is known."""
        if not (math.isfinite(self.variance) and self.freedom >= 1):
            return None
        reach = float(stdtrit(self.freedom, 0.5 + level / 2)) * math.sqrt(self.variance)
        return self.value - reach, self.value + reach


def ratio(hits: Floats, chances: Floats) -> Estimate:
    """Hits per chance, from their sums in random groups of people.

    Both vary from person to person, and together: the variance is that of the ratio's linear part, over groups.
    With under LEAST groups, or without a hit, there is a value and no variance.

    Args:
        hits: Sum of each group, shape (n_groups,).
        chances: Sum of each group, zero or more, shape (n_groups,). A group without any is left out.
    Returns:
        The ratio; NaN where nobody had a chance.
    Raises:
        BadInputError: If shapes differ.
    Source:
        Wolter, "Introduction to Variance Estimation", 2nd ed. 2007, chapters 2 (random groups) and 6 (Taylor
        series); Deng, Knoblich and Lu, "Applying the delta method in metric analytics", KDD 2018.
    """
    tried, taken = np.asarray(chances, dtype=np.float64), np.asarray(hits, dtype=np.float64)
    if tried.shape != taken.shape:
        raise BadInputError(f"hits and chances must be sums of the same groups: {taken.shape}, {tried.shape}")
    taken, tried = taken[tried > 0], tried[tried > 0]
    n, total = tried.size, float(tried.sum())
    if n == 0:
        return Estimate(math.nan, math.nan, 0.0)
    value = float(taken.sum()) / total
    if n < LEAST or value <= 0:
        return Estimate(value, math.nan, 0.0)
    rest = taken - value * tried
    return Estimate(value, float(n / (n - 1) * (rest @ rest) / total**2), n - 1.0)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """``one`` less ``other``, of different people.

    Source:
        Welch, "The generalization of Student's problem", Biometrika 1947, for the degrees of freedom.
    """
    variance = one.variance + other.variance
    if not (math.isfinite(variance) and variance > 0):
        return Estimate(one.value - other.value, variance, min(one.freedom, other.freedom))
    freedom = variance**2 / (one.variance**2 / one.freedom + other.variance**2 / other.freedom)
    return Estimate(one.value - other.value, variance, freedom)
