"""User-based collaborative filtering: shoppers like you took this."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.types import Floats, Ids, ItemId, Items, Scores, Terms

from .base import Explained, Progress, best_places, entries_of, need_interactions, ranges, rows_of
from .taken import Taken, power
from .tuning import Search

SORTING = 16
"""How much dearer sorting an entry is than passing over one."""
Neighbours = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
SEARCH = Search(
    start={
        "n_neighbours": 400,
        "popularity_exponent": 0.25,
        "target_exponent": 0.3,
        "activity": 0.0,
        "half_life": 120.0,
        "history_half_life": 120.0,
    },
    grid={
        "n_neighbours": (100, 200, 800),
        "popularity_exponent": (0.0, 0.1, 0.4),
        "target_exponent": (0.0, 0.15, 0.45),
        "activity": (0.5, 1.0),
        "half_life": (60.0, 360.0),
        "history_half_life": (60.0, 360.0),
    },
    dated=("half_life", "history_half_life"),
)


@dataclass
class UserCF(Explained):
    """The k stored users nearest to the live history, by cosine of weights damped by popularity.

    ``score_i = n_i^-g sum_v cos(h, v) x_vi |v|^-b`` over the k nearest users v, where g is ``target_exponent`` and b
    ``activity``; in the cosine an item counts ``n_i^-e``, e being ``popularity_exponent``. Neighbours are found
    through the columns of the history's items only, so the work is bounded by who took those items, not by how many
    users are stored. Of an item that more than ``max_takers`` took, those count to whom it is the largest part of
    what they took: the others' cosines lack that one item. An item that fewer than ``min_support`` of the neighbours
    took scores as one that none of them took. Settings left ``None`` are chosen in ``fit``.

    Source:
        Herlocker et al., "An algorithmic framework for performing collaborative filtering", SIGIR 1999.
    """

    name: ClassVar[str] = "user_cf"

    n_neighbours: int | None = None
    popularity_exponent: float | None = None
    target_exponent: float | None = None
    activity: float | None = None
    half_life: float | None = None  # days, in training
    history_half_life: float | None = None  # days, of the live history
    max_takers: int = 20_000
    min_support: int = 1  # neighbours below which there is no opinion, and takers among them below which there are none
    n_neighbours_: int = field(init=False, repr=False)
    popularity_exponent_: float = field(init=False, repr=False)
    target_exponent_: float = field(init=False, repr=False)
    activity_: float = field(init=False, repr=False)
    half_life_: float = field(init=False, repr=False)
    history_half_life_: float = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    user_ids_: Ids = field(init=False, repr=False)
    masked_: npt.NDArray[np.bool_] = field(init=False, repr=False)  # users that no longer count
    takers_: npt.NDArray[np.int32] = field(init=False, repr=False)
    row_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    row_items_: npt.NDArray[np.int32] = field(init=False, repr=False)
    row_values_: Floats = field(init=False, repr=False)
    column_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    column_users_: npt.NDArray[np.int32] = field(init=False, repr=False)
    column_values_: Floats = field(init=False, repr=False)
    row_ratings_: Floats = field(init=False, repr=False)

    @property
    def item_ids(self) -> Ids:
        return self.item_ids_

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Progress | None = None,
    ) -> Self:
        need_interactions(interactions)
        found = SEARCH.settings_for(self, interactions, None, seed=seed, at=at, progress=progress)
        for name, value in found.items():
            setattr(self, f"{name}_", value)
        roots = Taken.of(interactions, interactions.instant(at), self.half_life_).roots()
        rows = np.repeat(np.arange(interactions.n_users), np.diff(roots.indptr))
        takers = np.bincount(roots.indices, minlength=interactions.n_items)
        damped = roots.data * power(takers, -self.popularity_exponent_)[roots.indices]
        sizes = np.sqrt(np.bincount(rows, damped**2, minlength=interactions.n_users))
        lengths = np.sqrt(np.bincount(rows, roots.data**2, minlength=interactions.n_users))
        values = roots.data * power(takers, -self.target_exponent_)[roots.indices]
        self.item_ids_, self.user_ids_ = interactions.item_ids, interactions.user_ids
        self.masked_ = np.zeros(interactions.n_users, dtype=bool)
        self.takers_ = takers.astype(np.int32)
        self.row_starts_ = roots.indptr.astype(np.int64)
        self.row_items_ = roots.indices.astype(np.int32)
        self.row_values_ = (values * power(lengths, -self.activity_)[rows]).astype(np.float32)
        self._index(sparse.csr_matrix((damped / sizes[rows], roots.indices, roots.indptr), roots.shape))
        self.row_ratings_ = self._ratings(interactions)
        return self

    def _index(self, cosines: sparse.csr_matrix) -> None:
        """Each item's takers, users in order, at most ``max_takers`` of them."""
        columns = cosines.tocsc()
        kept = np.ones(columns.nnz, dtype=bool)
        for item in np.flatnonzero(self.takers_ > self.max_takers):
            cells = slice(columns.indptr[item], columns.indptr[item + 1])
            kept[cells] = False
            kept[columns.indptr[item] + best_places(columns.data[cells], self.max_takers)] = True
        sizes = np.minimum(self.takers_, self.max_takers).astype(np.int64)
        self.column_starts_ = np.concatenate([[0], np.cumsum(sizes)])
        self.column_users_ = columns.indices[kept].astype(np.int32)
        self.column_values_ = columns.data[kept].astype(np.float32)

    def without(self, user_ids: Ids) -> Self:
        """The same model in which these users are nobody's neighbours; unknown ids are none of them."""
        places = codes_of(self.user_ids_, user_ids)
        other = copy(self)
        other.masked_ = self.masked_.copy()
        other.masked_[places[places >= 0]] = True
        return other

    def _ratings(self, interactions: Interactions) -> Floats:
        if interactions.ratings is None:
            return np.empty(0, dtype=np.float32)
        given = interactions.matrix(interactions.ratings)
        times = interactions.matrix(np.ones(len(interactions)))
        given.sort_indices()
        times.sort_indices()
        return np.asarray(given.data / np.maximum(times.data, 1.0), dtype=np.float32)

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            users, similarities = self.neighbours(history, at)
            if users.size < max(self.min_support, 1):
                continue
            cells, owners = self._cells(users)
            terms = self.row_values_[cells] * similarities[owners]
            totals = np.bincount(self.row_items_[cells], terms, minlength=self.item_ids_.size)
            if self.min_support > 1:
                totals[np.bincount(self.row_items_[cells], minlength=totals.size) < self.min_support] = 0.0
            scores[row] = totals if wanted is None else np.where(wanted >= 0, totals[wanted], np.nan)
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        users, similarities = self.neighbours(history, at)
        if users.size < max(self.min_support, 1):
            return []
        cells, owners = self._cells(users)
        rows = rows_of(self.item_ids_.size, wanted)[self.row_items_[cells]]
        hits = np.flatnonzero(rows >= 0)
        points = np.bincount(
            rows[hits], self.row_values_[cells[hits]] * similarities[owners[hits]], minlength=wanted.size
        )
        shoppers = np.bincount(rows[hits], minlength=wanted.size)
        few = shoppers < self.min_support
        points[few], shoppers[few] = 0.0, 0
        return [Terms("similar_shoppers", points[:, None].astype(np.float64), self.name, shoppers=shoppers)]

    def neighbours(self, history: History, at: float | None = None) -> Neighbours:
        """Places and cosines of the k stored users nearest to the history, nearest first, ties by place."""
        return history.once(self.masked_, ("neighbours", at), lambda: self._neighbours(history, at))

    def _neighbours(self, history: History, at: float | None) -> Neighbours:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life_, at)
        if places.size == 0:
            return np.empty(0, np.int64), np.empty(0)
        values = np.sqrt(weights) * power(self.takers_[places], -self.popularity_exponent_)
        values /= np.linalg.norm(values) or 1.0
        sizes = self.column_starts_[places + 1] - self.column_starts_[places]
        cells = ranges(self.column_starts_[places], sizes)
        users, cosines = _summed(
            self.column_users_[cells], np.repeat(values, sizes) * self.column_values_[cells], self.user_ids_.size
        )
        open_ = ~self.masked_[users]
        users, cosines = users[open_], cosines[open_]
        near = best_places(cosines, self.n_neighbours_)
        return users[near], cosines[near]

    def predict_rating(self, history: History, item_id: ItemId, at: float | None = None) -> float:
        """Similarity-weighted mean of the neighbours' ratings of this item; NaN when fewer than need be rated it."""
        (target,) = codes_of(self.item_ids_, [item_id])
        users, similarities = self.neighbours(history, at)
        if target < 0 or self.row_ratings_.size == 0 or users.size == 0:
            return float("nan")
        cells, owners = self._cells(users)
        hits = self.row_items_[cells] == target
        if np.count_nonzero(hits) < max(self.min_support, 1):
            return float("nan")
        return float(np.average(self.row_ratings_[cells][hits], weights=similarities[owners[hits]]))

    def _cells(self, users: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where the rows of ``users`` lie, and whose each cell is."""
        sizes = self.row_starts_[users + 1] - self.row_starts_[users]
        return ranges(self.row_starts_[users], sizes), np.repeat(np.arange(users.size), sizes)


def _summed(users: npt.NDArray[np.int32], values: Floats, n_users: int) -> Neighbours:
    """Each user's sum of values, users in order; by a table of all users where that is less work than sorting."""
    if users.size * SORTING > n_users:
        totals = np.asarray(np.bincount(users, values, minlength=n_users), dtype=np.float64)
        found = np.flatnonzero(totals)
        return found, totals[found]
    some, inverse = np.unique(users, return_inverse=True)
    return some.astype(np.int64), np.asarray(np.bincount(inverse, values, minlength=some.size), dtype=np.float64)
