"""What a recommender promises, and how it reads a live history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, Self

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


Entries = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def entries_of(history: History, item_ids: Ids, half_life: float, at: float | None) -> Entries:
    """The history as places in ``item_ids`` and faded weights, repeats summed, unknown items left out."""
    places, unique, inverse = history.once(item_ids, "places", lambda: _places_of(history, item_ids))
    values = (history.values() * half_life_weights(history.ages(at), half_life))[places]
    weights = np.asarray(np.bincount(inverse, values, minlength=unique.size), dtype=np.float64)
    heavy = weights > 0
    return unique[heavy], weights[heavy]


def _places_of(
    history: History, item_ids: Ids
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which entries of the history are known, the places of their items, and which item each is of."""
    codes = codes_of(item_ids, history.items)
    known = np.flatnonzero(codes >= 0)
    unique, inverse = np.unique(codes[known], return_inverse=True)
    return known, unique, inverse


def ranges(starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``start, start + 1, ...`` for each size, one after the other: the cells of several sparse rows."""
    offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(np.repeat(starts, sizes) + offsets, dtype=np.int64)


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
    counts = interactions.takers_over(item_ids, half_life_weights(interactions.ages(at), half_life)) + 0.5
    return np.asarray((counts / counts.max()) ** exponent, dtype=np.float32)


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
    known = np.flatnonzero(~np.isnan(values))
    if known.size > n > 0:
        threshold = np.partition(values[known], known.size - n)[known.size - n]
        known = known[values[known] >= threshold]
    order = np.lexsort((known, -values[known]))
    return known[order][: max(n, 0)]


def rows_of(n_items: int, wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each of ``n_items`` places is among ``wanted``, -1 where it is not, shape (n_items,)."""
    rows = np.full(n_items, -1, dtype=np.int64)
    known = np.flatnonzero(wanted >= 0)
    rows[wanted[known]] = known
    return rows
