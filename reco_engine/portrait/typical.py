"""What a group of shoppers takes to more than everybody does, told only where enough of them stand behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SURE = 1.96
"""Standard errors of the interval that must lie above 1: of a thousand things that are no more typical of a group than
of the rest, about 25 pass by chance. The surest come first."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Typical:
    """One thing of a group.

    Attributes:
        thing: Its number.
        n: Shoppers of the group who took to it.
        lift: Its share of all that the group took to over its share of all that the shop did; 2.0 is twice as much.
    """

    thing: int
    n: int
    lift: float


def typical(groups: Ints, things: Ints, *, n_groups: int, least: int, most: int) -> tuple[tuple[Typical, ...], ...]:
    """The things that part each group from the rest of the shop, the surest first.

    Shares are of pairs, so that a group that does more of everything is typical of nothing for that. A thing is told
    where ``least`` shoppers of the group took to it, and where the interval of its ratio to the rest of the shop lies
    above 1. Fewer than ``least`` of the rest count as ``least``: no lift says how many of so few there are.

    Args:
        groups: The group of each pair of a shopper and a thing, each pair once, shape (n_pairs,); -1: of none, who
            count for the shop alone.
        things: The thing of each pair, a number from zero, shape (n_pairs,).
        most: Things of a group at most.
    Returns:
        One tuple a group, with lifts rounded to a tenth.
    Raises:
        ValueError: If the arrays differ in shape, or ``least`` is below one.
    Source:
        Katz et al., "Obtaining confidence intervals for the risk ratio in cohort studies", Biometrics 34, 1978.
    """
    if groups.shape != things.shape:
        raise ValueError(f"groups and things must be of one shape, not {groups.shape} and {things.shape}")
    if least < 1:
        raise ValueError(f"least must be 1 or more, not {least}")
    n_things = int(things.max(initial=-1)) + 1
    everybody = np.bincount(things, minlength=n_things)
    found = []
    for group in range(n_groups):
        mine = np.bincount(things[groups == group], minlength=n_things)
        found.append(_surest(mine, everybody, least=least, most=most))
    return tuple(found)


def _surest(mine: Any, everybody: Any, *, least: int, most: int) -> tuple[Typical, ...]:
    n_mine, n_rest = int(mine.sum()), int(everybody.sum() - mine.sum())
    chosen = np.flatnonzero(mine >= least)  # shape (n_chosen,)
    if not len(chosen) or not n_rest:
        return ()
    own = mine[chosen].astype(np.float64)
    others = np.maximum((everybody - mine)[chosen], least).astype(np.float64)
    rest = np.maximum(n_rest, others)
    ratio = np.log(own / n_mine) - np.log(others / rest)
    error = np.sqrt(np.maximum(1 / own - 1 / n_mine + 1 / others - 1 / rest, 0.0))
    low = ratio - SURE * error
    lifts = np.round((own / n_mine) / ((own + others) / (n_mine + rest)), 1)
    order = [each for each in np.lexsort((chosen, -low)) if low[each] > 0 and lifts[each] > 1.0][:most]
    return tuple(Typical(int(chosen[each]), int(own[each]), float(lifts[each])) for each in order)
