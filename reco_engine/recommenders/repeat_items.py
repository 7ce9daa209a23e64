"""What all shoppers' repeats say of an item: whether it is one to take again, and how it sells now."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .habits import Days, faded_counts

N_ITEM_FEATURES = 3
TAKERS = 5.0
"""Takers of an average item that are added to each item's own, so that one shopper makes no rule."""


def repeat_items(days: Days, items: npt.NDArray[np.int64], n_items: int) -> npt.NDArray[np.float64]:
    """Three numbers about each item, shape (n_items, 3); an item nobody took yet is an average, quiet one.

    The logarithms of: the share of its takers who took it on two days or more, leaning on that of all items;
    its faded takers of the last week over those of the last season; its faded takers of the last month.

    Args:
        days: Of all pairs of shopper and item.
        items: The item of each pair, shape (n_pairs,).
    """
    takers = np.bincount(items, minlength=n_items)
    again = np.bincount(items, np.bincount(days.pairs, minlength=days.n_pairs) > 1, minlength=n_items)
    average = (again.sum() + 0.5) / (takers.sum() + 1.0)
    share = (again + TAKERS * average) / (takers + TAKERS)
    week, month, season = (
        np.bincount(items, np.minimum(faded_counts(days, half_life), 1.0), minlength=n_items)
        for half_life in (7.0, 30.0, 90.0)
    )
    return np.stack([np.log(share), np.log(0.01 + week / (season + 1.0)), np.log1p(month)], axis=1)
