"""Bringing numbers to one scale: fitted on training values, applied to live ones with the same parameters.

Each class holds its parameters; ``fit`` makes one from training values. Constant and empty columns come out as
zeros. Unknown values are refused, since filling them is a choice of its own (``missing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError

from .decay import half_life_weights
from .interactions import SECONDS_A_DAY

Numbers = npt.NDArray[np.float64]


class Normalisation(Protocol):
    """Parameters learnt from training values, and what they make of any values."""

    def apply(self, values: Any) -> Numbers:
        """Return the normalised values, of the shape given, never NaN."""


@dataclass(frozen=True)
class MinMax:
    """From 0 at the lowest training value to 1 at the highest; live values beyond are cut to these."""

    lowest: float
    highest: float

    @classmethod
    def fit(cls, values: Any) -> Self:
        """Learn the range.

        Raises:
            BadInputError: If a value is NaN or infinite.
        """
        numbers = _finite(values)
        return cls(float(numbers.min()), float(numbers.max())) if numbers.size else cls(0.0, 0.0)

    def apply(self, values: Any) -> Numbers:
        """Values in [0, 1]; all 0 where the training values were constant."""
        numbers = np.clip(_finite(values), self.lowest, self.highest)
        width = self.highest - self.lowest
        return np.asarray((numbers - self.lowest) / width) if width > 0 else np.zeros_like(numbers)


@dataclass(frozen=True)
class ZScore:
    """Standard deviations (of the population) from the mean of the training values."""

    mean: float
    deviation: float

    @classmethod
    def fit(cls, values: Any) -> Self:
        """Learn mean and deviation.

        Raises:
            BadInputError: If a value is NaN or infinite.
        """
        numbers = _finite(values)
        if numbers.size == 0 or numbers.min() == numbers.max():  # a deviation of equal values may round above zero
            return cls(float(numbers[0]) if numbers.size else 0.0, 0.0)
        return cls(float(numbers.mean()), float(numbers.std()))

    def apply(self, values: Any) -> Numbers:
        """Values around 0; all 0 where the training values were constant."""
        numbers = _finite(values)
        return np.asarray((numbers - self.mean) / self.deviation) if self.deviation > 0 else np.zeros_like(numbers)


@dataclass(frozen=True)
class Log:
    """Natural logarithm of one plus what is above the floor: 0, or the lowest training value where that is less."""

    floor: float

    @classmethod
    def fit(cls, values: Any) -> Self:
        """Learn the floor.

        Raises:
            BadInputError: If a value is NaN or infinite.
        """
        return cls(float(_finite(values).min(initial=0.0)))

    def apply(self, values: Any) -> Numbers:
        """Values of zero or more; live values under the floor count as the floor."""
        return np.asarray(np.log1p(np.maximum(_finite(values) - self.floor, 0.0)))


@dataclass(frozen=True)
class TimeDecay:
    """1 for an event of the instant ``at`` or later, halving with every ``half_life`` days before it."""

    at: float  # unix seconds
    half_life: float  # days

    @classmethod
    def fit(cls, timestamps: Any, *, half_life: float, at: float | None = None) -> Self:
        """Count ages from ``at``, else from the newest training event.

        Raises:
            BadInputError: If a time is NaN or infinite, or ``half_life`` is zero or less.
        """
        if half_life <= 0:
            raise BadInputError(f"half_life must be above zero days, not {half_life}")
        times = _finite(timestamps)
        newest = float(times.max()) if times.size else 0.0
        return cls(newest if at is None else float(at), half_life)

    def apply(self, values: Any) -> Numbers:
        """Weights in [0, 1] of unix seconds."""
        ages = np.maximum(self.at - _finite(values), 0.0) / SECONDS_A_DAY
        return np.asarray(half_life_weights(ages, self.half_life), dtype=np.float64)


def _finite(values: Any) -> Numbers:
    numbers = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(numbers)):
        raise BadInputError("values have NaN or infinite ones; fill or drop those first (reco_engine.data.missing)")
    return numbers
