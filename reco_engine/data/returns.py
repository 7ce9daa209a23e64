"""Returns cancel the purchases that they undo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .cleaning import Outcome
from .events import EventBatch, Mask, Numbers


@dataclass(frozen=True)
class Returns:
    """Take the pieces of each return off the purchases before it, and drop the return itself.

    A return is matched with the same shopper's purchases of the same item up to its time: those of its order
    where it names one, else any; the newest first. A purchase with no piece left is dropped, one with some left
    keeps what is left. An unknown quantity is one piece; a purchase of a negative quantity is a return.
    """

    purchases: tuple[str | int, ...] = ("purchase",)
    refunds: tuple[str | int, ...] = ("refund",)
    name: str = "returns"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        bought = events.of_types(self.purchases)
        returned = events.of_types(self.refunds) | (bought & (events.quantities < 0))
        bought &= ~returned
        left = np.where(np.isfinite(events.quantities), np.abs(events.quantities), 1.0)
        whole = left.copy()
        ordered = events.ordered()
        for rows in _rows_of_pairs(events, bought, returned):
            _settle(rows, events, returned, ordered, left)
        changed = bought & (left != whole)
        keep = ~returned & ~(changed & (left <= 0))
        return Outcome(events.changed(quantities=np.where(changed, left, events.quantities)), keep, changed)


def _rows_of_pairs(events: EventBatch, bought: Mask, returned: Mask) -> list[npt.NDArray[np.int64]]:
    """Purchases and returns of each shopper and item that has a return, oldest first, purchases before returns."""
    if not returned.any():
        return []
    users = np.unique(events.users, return_inverse=True)[1].astype(np.int64)
    item_ids, items = np.unique(events.items, return_inverse=True)
    pairs = users * item_ids.size + items
    rows = np.flatnonzero((bought | returned) & np.isin(pairs, pairs[returned]))
    rows = rows[np.lexsort((rows, returned[rows], events.timestamps[rows], pairs[rows]))]
    return np.split(rows, np.flatnonzero(np.diff(pairs[rows])) + 1)


def _settle(rows: npt.NDArray[np.int64], events: EventBatch, returned: Mask, ordered: Mask, left: Numbers) -> None:
    """Take returns off ``left``, the pieces that are left of each purchase, in place."""
    for place, row in enumerate(rows):
        if not returned[row]:
            continue
        owed, order = left[row], events.orders[row]
        for purchase in rows[:place][::-1]:
            if owed <= 0:
                break
            if not returned[purchase] and (not ordered[row] or order == events.orders[purchase]):
                taken = min(owed, left[purchase])
                left[purchase] -= taken
                owed -= taken
