"""What a recommender promises, and how it reads a live history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.errors import BadInputError
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Ids, ItemId, Items, Reason, Scores, Terms


class Progress(Protocol):
    """Hears how far a fit has come; raising from it ends the fit."""

    def __call__(self, done: float, loss: float | None = None) -> None:
        """``done``: 0 to 1. ``loss``: the training loss of the epoch that just ended, where there are epochs."""


def heard(tell: Callable[[float], None], start: float, share: float) -> Progress:
    """Tells how far the whole has come, while a fit that is a ``share`` of it and began at ``start`` goes on."""

    def hear(done: float, loss: float | None = None) -> None:
        tell(start + share * done)

    return hear


class Recommender(Protocol):
    """Scores items for live histories. Filtering, blending and ordering belong to ``ranking``."""

    name: str

    @property
    def item_ids(self) -> Ids:
        """The items that it can score, sorted, shape (n_items,)."""

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from scratch; the same data, seed and instant give the same bytes."""

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        """Return shape (n_histories, n_items or len(items)), higher is better, NaN for "no opinion"."""

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        """Return the terms whose points sum to this item's score; none where there is no opinion."""

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        """Return the terms of many items at once; each item's points over all of them sum to its score.

        All points of an item without an opinion are zero.
        """


class Explained(ABC):
    """Says why, one item at a time, from the terms that a recommender gives for many."""

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        return reasons_of(self.terms(history, [item_id], at))

    @abstractmethod
    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        """As the protocol says."""


def reasons_of(terms: Sequence[Terms], row: int = 0) -> tuple[Reason, ...]:
    """One item's terms as reasons, largest first; terms of one kind and evidence are one reason, zeros are none."""
    found: dict[tuple[str, ItemId], Reason] = {}
    for term in terms:
        shoppers = 0 if term.shoppers is None else int(term.shoppers[row])
        for column in np.flatnonzero(term.points[row]):
            evidence = () if term.evidence is None else (term.evidence[column].item(),)
            known = found.get((term.kind, evidence))
            points = float(term.points[row, column]) + (known.points if known else 0.0)
            found[term.kind, evidence] = Reason(term.kind, points, evidence, shoppers, term.source)
    return tuple(sorted(found.values(), key=lambda reason: -abs(reason.points)))


@runtime_checkable
class Lister(Protocol):
    """A recommender whose scores are zero nearly everywhere, which lists for many shoppers faster than it scores."""

    def best(
        self,
        histories: Sequence[History],
        n: int,
        *,
        exclude_seen: bool,
        allowed: npt.NDArray[np.bool_] | None,
        at: float | None,
    ) -> list[tuple[npt.NDArray[np.int64], Scores]]:
        """The places and scores of each history's list: what its scores, ordered by ``best_places``, give."""


@runtime_checkable
class Proposer(Protocol):
    """A recommender that finds the best of its items without a look at each of them."""

    def proposed(
        self, history: History, open_: npt.NDArray[np.bool_], n: int, at: float | None
    ) -> npt.NDArray[np.int64]:
        """Places of the ``n`` open items with the highest scores above zero, best first, ties by place."""


Entries = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def entries_of(history: History, item_ids: Ids, half_life: float, at: float | None) -> Entries:
    """The history as places in ``item_ids`` and faded weights, repeats summed, unknown items left out."""
    places, unique, inverse = _known(history, item_ids)
    values = (history.values() * half_life_weights(history.ages(at), half_life))[places]
    weights = np.asarray(np.bincount(inverse, values, minlength=unique.size), dtype=np.float64)
    heavy = weights > 0
    return unique[heavy], weights[heavy]


def places_of(history: History, item_ids: Ids) -> npt.NDArray[np.int64]:
    """The places of the history's items, each once, sorted; unknown items left out."""
    return _known(history, item_ids)[1]


def _known(history: History, item_ids: Ids) -> tuple[npt.NDArray[np.int64], ...]:
    """Which entries of the history are known, the places of their items, and which item each is of."""

    def look_up() -> tuple[npt.NDArray[np.int64], ...]:
        codes = codes_of(item_ids, history.items)
        known = np.flatnonzero(codes >= 0)
        unique, inverse = np.unique(codes[known], return_inverse=True)
        return known, unique, inverse

    return history.once(item_ids, "places", look_up)


@dataclass(frozen=True)
class Bags:
    """Several histories as sparse rows over one recommender's items.

    Attributes:
        starts: Where each history's entries begin, shape (n_histories + 1,).
        places: Item places, sorted within a history, shape (n_entries,).
        weights: Faded weights above zero, repeats summed, shape (n_entries,).
    """

    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.starts.size) - 1

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Which history each entry is of, shape (n_entries,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def totals(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The sum of ``values`` over each history's entries, shape (n_histories,)."""
        return np.asarray(np.bincount(self.owners, values, minlength=len(self)), dtype=np.float64)


def bags_of(histories: Sequence[History], item_ids: Ids, half_life: float, at: float | None) -> Bags:
    """What ``entries_of`` gives, for several histories at once."""
    if len(histories) == 1:
        places, weights = entries_of(histories[0], item_ids, half_life, at)
        return Bags(np.asarray([0, places.size]), places, weights)
    sizes = np.fromiter((len(history) for history in histories), np.int64, len(histories))
    codes = codes_of(item_ids, list(chain.from_iterable(history.items for history in histories)))
    weights = np.concatenate([history.values() for history in histories]) if len(histories) else np.empty(0)
    if any(history.timestamps is not None for history in histories):
        weights *= half_life_weights(np.concatenate([history.ages(at) for history in histories]), half_life)
    counted = (codes >= 0) & (weights > 0)
    cells = np.repeat(np.arange(sizes.size), sizes)[counted] * item_ids.size + codes[counted]
    unique, inverse = np.unique(cells, return_inverse=True)
    owners, places = np.divmod(unique, max(item_ids.size, 1))
    totals = np.asarray(np.bincount(inverse, weights[counted], minlength=unique.size), dtype=np.float64)
    return Bags(np.searchsorted(owners, np.arange(sizes.size + 1)), places, totals)


def ranges(starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``start, start + 1, ...`` for each size, one after the other: the cells of several sparse rows."""
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - (ends - sizes), sizes))


def pick(row: npt.NDArray[np.floating], item_ids: Ids, items: Items | None) -> Scores:
    """The scores of ``items`` out of a whole row; NaN for items that are unknown."""
    if items is None:
        return row.astype(np.float32)
    places = codes_of(item_ids, items)
    return np.where(places >= 0, row[places], np.nan).astype(np.float32)


def priors_of(
    interactions: Interactions, item_ids: Ids, at: float | None, half_life: float, exponent: float
) -> npt.NDArray[np.float32]:
    """How often each item is taken lately, over the most taken one, to a power: in (0, 1], shape (n_items,).

    An item never taken counts as half a time, so that it can be scored from its first day.
    """
    counts = takings_of(interactions, item_ids, at, half_life)
    return np.asarray((counts / counts.max()) ** exponent, dtype=np.float32)


NEVER_TAKEN = 0.5
"""What an item that nobody took counts as."""


def takings_of(
    interactions: Interactions, item_ids: Ids, at: float | None, half_life: float
) -> npt.NDArray[np.float64]:
    """How many users took each item lately, and half a one more, shape (n_items,)."""
    return interactions.takers_over(item_ids, half_life_weights(interactions.ages(at), half_life)) + NEVER_TAKEN


def need_interactions(interactions: Interactions) -> None:
    """Refuse to learn from nothing.

    Raises:
        BadInputError: If there is not a single interaction with a weight above zero.
    """
    if len(interactions) == 0 or not np.any(interactions.weights > 0):
        raise BadInputError("interactions are empty; there is nothing to learn from")


def need_catalogue(catalogue: Catalogue | None) -> Catalogue:
    """Refuse to learn about content without any.

    Raises:
        BadInputError: If there is no catalogue, or it is empty.
    """
    if catalogue is None or len(catalogue) == 0:
        raise BadInputError("catalogue is missing or empty; this recommender learns from what items are")
    return catalogue


def best_places(values: npt.NDArray[np.floating], n: int) -> npt.NDArray[np.int64]:
    """Places of the ``n`` highest values, best first, ties by place; NaN is never among them."""
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    nth = -np.partition(-values, n - 1)[n - 1] if values.size > n else np.nan  # NaN sorts last
    best = np.flatnonzero(~np.isnan(values) if np.isnan(nth) else values >= nth)
    return best[np.argsort(-values[best], kind="stable")][:n]


def best_open(row: npt.NDArray[np.floating], open_: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.int64]:
    """Places of the ``n`` highest values above zero that are open, best first, ties by place."""
    able = np.flatnonzero((row > 0) & open_)
    return able[best_places(row[able], n)]


def rows_of(n_items: int, wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each of ``n_items`` places is among ``wanted``, -1 where it is not, shape (n_items,)."""
    rows = np.full(n_items, -1, dtype=np.int64)
    known = np.flatnonzero(wanted >= 0)
    rows[wanted[known]] = known
    return rows
