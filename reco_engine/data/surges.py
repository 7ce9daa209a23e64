"""Items that a few shoppers pushed far beyond their past, shortly before somebody learns from it.

Many new shoppers on one item are what ``hammering`` finds. Here few shoppers do much: what counts is not who they
are but that an item's rise has nobody behind it but them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import ItemId

from .interactions import SECONDS_A_DAY, Interactions

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Surge:
    """One item that few shoppers pushed.

    Attributes:
        item: Which.
        days: The length of the window in which it rose.
        amount: What was done with it in the window: weights of interactions, summed.
        buyers: How many shoppers are behind that.
        share, share_before: The item's part of all that was done, in the window and before it.
        times: By how much its share exceeds what was to be expected.
    """

    item: ItemId
    days: float
    amount: float
    buyers: int
    share: float
    share_before: float
    times: float

    @property
    def why(self) -> str:
        return (
            f"Item {self.item} has {self.share:.2%} of what was done in the last {self.days:g} days, "
            f"{self.times:.0f} times what its past leads one to expect; the number of shoppers behind it is only "
            f"{self.buyers:,}."
        )


def surges(
    interactions: Interactions,
    *,
    at: float | None = None,
    windows: tuple[float, ...] = (1.0, 7.0, 28.0),
    times: float = 10.0,
    least: float = 20.0,
    few: int = 20,
    few_share: float = 0.01,
    each: float = 3.0,
    top: int = 20,
    top_share: float = 0.01,
) -> list[Surge]:
    """Find items whose share rose more than ``times`` fold lately and behind which few shoppers stand.

    A rise is measured against the item's own past and against the typical item of the window, whichever is more: a
    launch starts from the typical item, not from nothing. An item that is not among the ``top`` of a window, or its
    ``top_share`` most taken, is left out: it moves no list. Shoppers are few by two tests that must both fire: there
    are no more than ``few`` of them, or than ``few_share`` of all who were there; and each does ``each`` times what
    a typical taker of a typical item does. A launch that many take fails both.

    Args:
        at: Unix seconds, where the windows end; None: the newest interaction. Later ones are left out.
        windows: Days, each length looked at on its own. One that leaves less than its own length before it is not.
        least: Weights of interactions with the item in a window, at least: less moves no list.
    Returns:
        Each item once, by its shortest window, in the order of ids; none where nothing is dated.
    Raises:
        BadInputError: If a setting is not above zero.
    """
    if not windows or min(*windows, times, least, few, few_share, each, top, top_share) <= 0:
        raise BadInputError("windows and all other settings must be above zero")
    if not interactions.dated or not len(interactions):
        return []
    ages = (interactions.instant(at) - interactions.timestamps) / SECONDS_A_DAY
    found: dict[int, Surge] = {}
    for days in sorted(windows):
        now, before = (ages >= 0) & (ages < days), ages >= days
        if not now.any() or ages.max() < 2 * days:
            continue
        amounts, past = _amounts(interactions, now), _amounts(interactions, before)
        buyers = _buyers(interactions, now)
        taken = amounts > 0
        share, share_before = amounts / amounts.sum(), past / past.sum()
        rises = share / np.maximum(share_before, float(np.median(share[taken])))
        usual = float(np.median(amounts[taken] / buyers[taken]))
        prominent = _nth_largest(amounts, max(top, int(top_share * np.count_nonzero(taken))))
        most = max(few, few_share * np.unique(interactions.users[now]).size)
        lonely = (buyers <= most) & (amounts >= each * usual * buyers)
        for place in np.flatnonzero((amounts >= max(least, prominent)) & (rises > times) & lonely).tolist():
            surge = Surge(
                item=interactions.item_ids[place].item(),
                days=days,
                amount=float(amounts[place]),
                buyers=int(buyers[place]),
                share=float(share[place]),
                share_before=float(share_before[place]),
                times=float(rises[place]),
            )
            found.setdefault(place, surge)
    return [found[place] for place in sorted(found)]


def _amounts(interactions: Interactions, chosen: npt.NDArray[np.bool_]) -> Amounts:
    """What was done with each item, shape (n_items,)."""
    amounts = np.bincount(interactions.items[chosen], interactions.weights[chosen], minlength=interactions.n_items)
    return np.asarray(amounts, dtype=np.float64)


def _nth_largest(amounts: Amounts, n: int) -> float:
    """The ``n``-th largest amount; 0 where there are fewer."""
    return float(np.partition(amounts, amounts.size - n)[amounts.size - n]) if n <= amounts.size else 0.0


def _buyers(interactions: Interactions, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many users did something with each item, shape (n_items,)."""
    cells = interactions.items[chosen].astype(np.int64) * interactions.n_users + interactions.users[chosen]
    return np.bincount(np.unique(cells) // interactions.n_users, minlength=interactions.n_items)
