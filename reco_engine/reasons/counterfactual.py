"""Without your purchase of these, this would not be in your list: found by removing, proved by ranking again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History, codes_of
from reco_engine.errors import BadInputError
from reco_engine.ranking.eligibility import eligible
from reco_engine.ranking.ordering import recommend
from reco_engine.ranking.pipeline import Hybrid
from reco_engine.recommenders.base import Recommender
from reco_engine.types import ItemId, Items

HISTORY_KINDS = frozenset({"history_item", "feature", "repeat"})
"""Kinds of reasons whose evidence is what the shopper did."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A change to the history that removes an item from the slate.

    Attributes:
        item_id: What would not be listed.
        without: History items whose removal does it; leaving any one of them in does not.
        instead: What the slate would hold that it does not hold now, best first.
        n_ranked: Times that the list was made to find and prove it.
    """

    item_id: ItemId
    without: tuple[ItemId, ...]
    instead: tuple[ItemId, ...]
    n_ranked: int


def counterfactual(
    model: Recommender | Hybrid,
    history: History,
    item_id: ItemId,
    n: int = 10,
    *,
    allowed: npt.NDArray[np.bool_] | None = None,
    exclude: Items = (),
    exclude_seen: bool = True,
    at: float | None = None,
    most_items: int = 5,
    most_ranked: int = 60,
    **ranking: Any,
) -> Counterfactual | None:
    """Find few history items without which ``item_id`` leaves the ``n`` best; None when there are none in bounds.

    Single items are tried first, those with the most points first, in half of the work at most; then the one with
    the most points left is added to those removed until the item is gone; at last, members that are not needed
    are put back. The list is made anew each time. What the whole history keeps out stays out, so that nothing
    is replaced by the removed purchase itself, and ages count from the same instant.

    Args:
        allowed, exclude, exclude_seen: What may be listed, as in the slate.
        at: The slate's instant; the history's newest entry when missing.
        most_items: History items removed together, at most.
        most_ranked: Lists made, at most.
        ranking: More arguments of ``Hybrid.rank``, as in the slate.
    Raises:
        BadInputError: If the item is not among the ``n`` best now.
    """
    now = _instant(history) if at is None else at
    closed = [*exclude, *history.items] if exclude_seen else list(exclude)
    search = _Search(
        model, history, item_id, n, eligible(model.item_ids, allowed=allowed, exclude=closed), now, ranking
    )
    listed = search.ranked(frozenset())
    if item_id not in listed:
        raise BadInputError(f"item_id must be one of the {n} best; {item_id!r} is not among them")
    search.left = most_ranked
    found = search.first_single(most_ranked // 2) or search.grown(most_items)
    without = search.pruned(found) if found else None
    if without is None:
        return None
    return Counterfactual(
        item_id=item_id,
        without=tuple(model.item_ids[sorted(without)].tolist()),
        instead=tuple(each for each in search.ranked(without) if each not in listed),
        n_ranked=most_ranked - search.left + 1,
    )


@dataclass
class _Search:
    """Removes places of ``model.item_ids`` from the history, and remembers every list that was made."""

    model: Recommender | Hybrid
    history: History
    item_id: ItemId
    n: int
    allowed: npt.NDArray[np.bool_]
    at: float | None
    ranking: dict[str, Any]
    left: int = 1
    known: dict[frozenset[int], tuple[ItemId, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.codes = codes_of(self.model.item_ids, self.history.items)
        self.places = np.unique(self.codes[self.codes >= 0])

    def ranked(self, without: frozenset[int]) -> tuple[ItemId, ...]:
        """The list for the history without some items, by the path that makes every list; paid for once."""
        if without not in self.known:
            self.left -= 1
            self.known[without] = self._ranked(self._reduced(without))
        return self.known[without]

    def first_single(self, most_ranked: int) -> frozenset[int] | None:
        """The item with the most points that does it alone."""
        for place in self._by_points(frozenset())[:most_ranked]:
            if self._gone(frozenset({place})):
                return frozenset({place})
        return None

    def grown(self, most_items: int) -> frozenset[int] | None:
        """The items with the most points, each counted after the removal of those before."""
        without: frozenset[int] = frozenset()
        for _ in range(min(most_items, self.places.size)):
            without |= {self._by_points(without)[0]}
            if self._gone(without):
                return without
        return None

    def pruned(self, without: frozenset[int]) -> frozenset[int] | None:
        """Without the members that are not needed; None when the work ended before each was shown to be."""
        for place in reversed(self._by_points(frozenset(), among=without)):
            fewer = without - {place}
            if not fewer:
                break
            if self._gone(fewer):
                return self.pruned(fewer)
            if fewer not in self.known:
                return None
        return without

    def _gone(self, without: frozenset[int]) -> bool:
        """Whether that removes the item; what there is no work left for does not count as removing it."""
        return (without in self.known or self.left > 0) and self.item_id not in self.ranked(without)

    def _by_points(self, without: frozenset[int], among: Collection[int] | None = None) -> list[int]:
        """History items that are left (or ``among``), those that speak most for the item first, then the heaviest."""
        reduced = self._reduced(without)
        points = np.zeros(self.model.item_ids.size)
        for terms in self.model.terms(reduced, [self.item_id], at=self.at):
            if terms.evidence is not None and terms.kind in HISTORY_KINDS:
                owners = codes_of(self.model.item_ids, terms.evidence)
                np.add.at(points, owners, terms.points[0])
        weights = np.zeros(self.model.item_ids.size)
        known = self.codes >= 0
        np.add.at(weights, self.codes[known], self.history.values()[known])
        places = self.places if among is None else np.asarray(sorted(among))
        rest = places[~np.isin(places, list(without))]
        return [int(place) for place in rest[np.lexsort((rest, -weights[rest], -points[rest]))]]

    def _reduced(self, without: frozenset[int]) -> History:
        kept = np.flatnonzero(~np.isin(self.codes, list(without))).tolist()
        times, weights = self.history.timestamps, self.history.weights
        return History(
            [self.history.items[i] for i in kept],
            None if times is None else [times[i] for i in kept],
            None if weights is None else [weights[i] for i in kept],
        )

    def _ranked(self, history: History) -> tuple[ItemId, ...]:
        if isinstance(self.model, Hybrid):
            return self.model.rank(history, self.n, allowed=self.allowed, at=self.at, **self.ranking).item_ids
        (listed,) = recommend(
            self.model, [history], self.n, exclude_seen=False, allowed=self.allowed, at=self.at, **self.ranking
        )
        return listed.item_ids


def _instant(history: History) -> float | None:
    times: Iterable[float] = () if history.timestamps is None else history.timestamps
    return max((float(time) for time in times), default=None)
