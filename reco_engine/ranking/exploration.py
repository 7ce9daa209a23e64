"""A few places of a list try something less certain, drawn so that every item's chance to be shown is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError


@dataclass(frozen=True)
class Exploration:
    """What became of a ranking of which some places were given away.

    Attributes:
        order: Places of the ranking in their new order: the list first, then the rest by rank, shape (n_ranked,).
        tried: Places of the ranking that were drawn, not earned.
        propensities: How likely each item of the ranking was to be in the list, above 0 where anything is tried,
            shape (n_ranked,); they sum to the length of the list.
    """

    order: npt.NDArray[np.int64]
    tried: frozenset[int]
    propensities: npt.NDArray[np.float64]


def explored(n_ranked: int, n: int, *, share: float, rng: np.random.Generator) -> Exploration:
    """Give ``share`` of the ``n`` places of a list to items drawn uniformly from those that the rest leaves over.

    ``m`` places are given away, ``share n`` rounded up or down at random so that it is right on average. The
    ``n - m`` best keep their order; which places are given away, and who of all others gets them, is drawn without
    replacement. So an item of rank ``r`` is shown for sure where ``r <= n - m``, else with ``m / (n_ranked - n + m)``.

    Args:
        n_ranked: Items of the ranking, best first.
        n: Length of the list; a ranking that is no longer leaves nothing to try.
        share: 0 (nothing is tried) to 1 (everything is drawn).
    Raises:
        BadInputError: If ``share`` is no share.
    Source:
        Epsilon-greedy with logged propensities: Bottou et al., "Counterfactual reasoning and learning systems",
        JMLR 2013.
    """
    if not 0.0 <= share <= 1.0:
        raise BadInputError(f"share must lie between 0 and 1, not {share}")
    n = min(max(n, 0), n_ranked)
    if share == 0.0 or n in (0, n_ranked):
        return Exploration(np.arange(n_ranked), frozenset(), (np.arange(n_ranked) < n).astype(np.float64))
    low = math.floor(share * n)
    more = share * n - low
    m = low + int(rng.random() < more)
    places = np.sort(rng.permutation(n)[:m])
    drawn = n - m + rng.permutation(n_ranked - n + m)[:m]
    shown = np.empty(n, dtype=np.int64)
    shown[places] = drawn
    shown[np.setdiff1d(np.arange(n), places)] = np.arange(n - m)
    rest = np.setdiff1d(np.arange(n_ranked), shown)
    chances = (1.0 - more) * _chances(n_ranked, n, low) + (more * _chances(n_ranked, n, low + 1) if more else 0.0)
    return Exploration(np.concatenate([shown, rest]), frozenset(drawn.tolist()), np.asarray(chances))


def _chances(n_ranked: int, n: int, m: int) -> npt.NDArray[np.float64]:
    """Of each item to be shown where ``m`` places are given away."""
    return np.where(np.arange(n_ranked) < n - m, 1.0, m / (n_ranked - n + m))
