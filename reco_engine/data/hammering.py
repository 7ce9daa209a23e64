"""Shoppers made up to push one item: many at once, new, and about nothing else.

A shopper who came lately and stays with one item is nobody's fault; many of them on one item in a short time,
far beyond its own past and beyond its peers, are. Nothing here is a verdict: it tells whose events had better
not be learnt from until a person has looked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import ItemId, UserId

from .interactions import Interactions

DAY = 86_400.0
POISSON = 0.5
"""Standard deviation of the root of a Poisson count."""
NORMAL = 1.4826
"""Of a normal variable, its standard deviation over its median absolute deviation."""
Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One shopper of a group that pushed an item.

    Attributes:
        user, item: Who, and what was pushed.
        events: What the shopper did with the item.
        others: What they did with all other items.
        shoppers: How many such shoppers came in the window.
        expected: How many its own past and its peers lead one to expect.
        deviations: By how many robust standard deviations there are more.
        began, ended: The window, unix seconds.
        newest: The shopper's newest event on the item, unix seconds.
    """

    user: UserId
    item: ItemId
    events: int
    others: int
    shoppers: int
    expected: float
    deviations: float
    began: float
    ended: float
    newest: float


@dataclass(frozen=True)
class Hammering:
    """Finds groups of short-lived shoppers on one item, by two tests that must both fire in one window of time.

    A suspect's events all lie within ``life`` days; in the first look their greatest part is on the item
    (``share``), in the second any part is, which finds those who hide behind other items. In a window the number
    of suspects on an item must exceed what is expected by ``deviations``: roots of counts, less the root of the
    larger of the item's own past and the typical item now, over the spread of all items' differences; and their
    share among all who took the item must exceed that of the other items' takers by as many.

    Attributes:
        windows: Days, each length looked at on its own.
        life: Days from a suspect's first event to the last, at most.
        share: Of a suspect's events that are on the item, at least.
        least: Suspects, at least.
        deviations: Robust standard deviations.
    """

    windows: tuple[float, ...] = (1.0, 7.0, 28.0)
    life: float = 7.0
    share: float = 0.5
    least: int = 5
    deviations: float = 6.0
    name: str = "hammering"

    def __post_init__(self) -> None:
        if not self.windows or min(self.windows) <= 0:
            raise BadInputError("windows must be days above zero, at least one")
        if not (self.life > 0 and 0 < self.share <= 1 and self.least >= 1 and self.deviations > 0):
            raise BadInputError("life and deviations must be above zero, share above 0 and at most 1, least 1 or more")

    def suspects(self, interactions: Interactions, *, at: float) -> list[Suspect]:
        """Each suspect once, with the item and window that tell most; none where nothing is dated.

        Args:
            at: Unix seconds, where the newest window ends.
        """
        if not interactions.dated or not len(interactions):
            return []
        pairs = _Pairs.of(interactions)
        fleeting = pairs.lives <= self.life * DAY
        looks = (fleeting & (pairs.shares >= self.share), fleeting)
        takers = {days: _takers(interactions, at, days) for days in self.windows}
        found: dict[int, Suspect] = {}
        for chosen in looks:
            for days in sorted(self.windows):
                # Whoever a shorter window has found is not there for a longer one, which takes more bystanders along.
                rest = chosen & ~np.isin(pairs.users, np.fromiter(found, np.int64, len(found)))
                found |= self._in_windows(interactions, pairs, rest, takers[days], days, at)
        return [found[user] for user in sorted(found)]

    def _in_windows(
        self,
        interactions: Interactions,
        pairs: _Pairs,
        chosen: npt.NDArray[np.bool_],
        takers: _Cells,
        days: float,
        at: float,
    ) -> dict[int, Suspect]:
        """Suspects among the pairs ``chosen`` in windows of one length, by code, with the item that tells most."""
        n_items = interactions.n_items
        ages = _windows_ago(pairs.newest, at, days)
        counts = _cells(ages[chosen], pairs.items[chosen], n_items)
        found: dict[int, Suspect] = {}
        for age in np.unique(counts.ages[counts.sizes >= self.least]).tolist():
            unusual = self._unusual(counts, takers, age, n_items)
            for item, much, usual in zip(*(column.tolist() for column in unusual), strict=True):
                rows = np.flatnonzero(chosen & (ages == age) & (pairs.items == item))
                ended = at - age * days * DAY
                for row in rows.tolist():
                    suspect = Suspect(
                        user=interactions.user_ids[pairs.users[row]].item(),
                        item=interactions.item_ids[item].item(),
                        events=int(pairs.sizes[row]),
                        others=int(pairs.totals[row] - pairs.sizes[row]),
                        shoppers=int(rows.size),
                        expected=round(usual, 2),
                        deviations=round(much, 2),
                        began=ended - days * DAY,
                        ended=ended,
                        newest=float(pairs.newest[row]),
                    )
                    known = found.get(int(pairs.users[row]))
                    if known is None or suspect.deviations > known.deviations:
                        found[int(pairs.users[row])] = suspect
        return found

    def _unusual(self, counts: _Cells, takers: _Cells, age: int, n_items: int) -> tuple[Places, Numbers, Numbers]:
        """Items with far too many suspects in one window, by how many deviations, and how many are usual."""
        all_ = takers.of(age, n_items)
        items = np.flatnonzero(all_)
        now, all_ = counts.of(age, n_items)[items], all_[items]
        usual = np.maximum(counts.before(age, n_items)[items], float(np.median(now)))
        rises = np.sqrt(now + 0.375) - np.sqrt(usual + 0.375)
        middle = float(np.median(rises))
        spread = max(POISSON, NORMAL * float(np.median(np.abs(rises - middle))))
        rise = (rises - max(middle, 0.0)) / spread
        others = (now.sum() - now + 1.0) / (all_.sum() - all_ + 2.0)
        among = (now - all_ * others) / np.sqrt(all_ * others * (1.0 - others))
        much = np.minimum(rise, among)
        far = (much >= self.deviations) & (now >= self.least)
        return items[far], much[far], usual[far]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Each user with each item, shape (n_pairs,): how often, the newest time, and what else the user did."""

    users: Places
    items: Places
    sizes: Places
    newest: Numbers
    totals: Places  # of the user's events
    lives: Numbers  # seconds from the user's first event to the last

    @classmethod
    def of(cls, interactions: Interactions) -> _Pairs:
        cells = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
        found, places, sizes = np.unique(cells, return_inverse=True, return_counts=True)
        newest = np.full(found.size, -np.inf)
        np.maximum.at(newest, places, interactions.timestamps)
        users, items = np.divmod(found, interactions.n_items)
        first, last = np.full(interactions.n_users, np.inf), np.full(interactions.n_users, -np.inf)
        np.minimum.at(first, interactions.users, interactions.timestamps)
        np.maximum.at(last, interactions.users, interactions.timestamps)
        totals = np.bincount(interactions.users, minlength=interactions.n_users)
        return cls(users, items, sizes, newest, totals[users], (last - first)[users])

    @property
    def shares(self) -> Numbers:
        """The part of the user's events that is on the item."""
        return np.asarray(self.sizes / self.totals)


@dataclass(frozen=True, eq=False)
class _Cells:
    """How many pairs each window and item has, sorted by window, counted backwards from the newest."""

    ages: Places
    items: Places
    sizes: Places

    def of(self, age: int, n_items: int) -> Numbers:
        """Pairs of each item in one window, shape (n_items,)."""
        rows = slice(*np.searchsorted(self.ages, [age, age + 1]).tolist())
        return np.bincount(self.items[rows], self.sizes[rows], minlength=n_items).astype(np.float64)

    def before(self, age: int, n_items: int) -> Numbers:
        """Pairs of each item in an earlier window on average, a later one where none is earlier, shape (n_items,)."""
        start, oldest = int(np.searchsorted(self.ages, age + 1)), int(self.ages.max(initial=0))
        rows, windows = slice(start, None), oldest - age
        if windows == 0:
            rows, windows = slice(int(np.searchsorted(self.ages, age))), oldest
        sums = np.bincount(self.items[rows], self.sizes[rows], minlength=n_items)
        return np.asarray(sums / max(windows, 1))


def _windows_ago(timestamps: Numbers, at: float, days: float) -> Places:
    """How many windows of so many days lie between each time's and the one that ends at ``at``."""
    return np.floor(np.maximum(at - timestamps, 0.0) / (days * DAY)).astype(np.int64)


def _takers(interactions: Interactions, at: float, days: float) -> _Cells:
    """How many users took each item in each window, a user once a window."""
    n_items, n_users = interactions.n_items, interactions.n_users
    ages = _windows_ago(interactions.timestamps, at, days)
    cells = np.sort((ages * n_items + interactions.items) * n_users + interactions.users)
    cells = cells[np.diff(cells, prepend=-1) > 0] // n_users
    return _cells(cells // n_items, cells % n_items, n_items)


def _cells(ages: Places, items: Places, n_items: int) -> _Cells:
    cells, sizes = np.unique(ages * n_items + items, return_counts=True)
    return _Cells(cells // n_items, cells % n_items, sizes)
