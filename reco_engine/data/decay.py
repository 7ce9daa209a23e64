"""How interest fades with age."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.types import Floats


def half_life_weights(ages: Floats, half_life: float) -> npt.NDArray[np.floating[Any]]:
    """Weight interactions by age, halving every ``half_life`` days.

    Args:
        ages: Days since each interaction, shape (n,), zero or more.
        half_life: Days after which an interaction counts half, above zero.
    Returns:
        Weights in (0, 1], shape (n,); 1 for an interaction of this moment.
    Raises:
        ValueError: If ``half_life`` is zero or less.
    Source:
        Ding and Li, "Time weight collaborative filtering", CIKM 2005.
    """
    if half_life <= 0:
        raise ValueError(f"half_life must be above zero days, not {half_life}")
    return np.asarray(np.exp2(-np.asarray(ages) / half_life))
