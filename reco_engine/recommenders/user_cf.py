"""User-based collaborative filtering: shoppers like you took this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, ItemId, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_interactions, ranges, rows_of

Neighbours = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


@dataclass
class UserCF(Explained):
    """The k stored users nearest to the live history by cosine; score = sum of similarity x weight.

    Neighbours are found through the columns of the history's items only, so the work is bounded by what
    those items' takers are, not by how many users are stored.

    Source:
        Herlocker et al., "An algorithmic framework for performing collaborative filtering", SIGIR 1999.
    """

    name: ClassVar[str] = "user_cf"

    n_neighbours: int = 100
    half_life: float = 120.0  # days, in training
    history_half_life: float = 120.0  # days, of the live history
    popularity_exponent: float = 0.1  # how much a popular item's weight is damped
    min_support: int = 1  # neighbours below which there is no opinion
    item_ids_: Ids = field(init=False, repr=False)
    row_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    row_items_: npt.NDArray[np.int32] = field(init=False, repr=False)
    row_values_: Floats = field(init=False, repr=False)
    column_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    column_users_: npt.NDArray[np.int32] = field(init=False, repr=False)
    column_values_: Floats = field(init=False, repr=False)
    row_ratings_: Floats = field(init=False, repr=False)
    n_users_: int = field(init=False, repr=False)

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
        faded = interactions.weights * half_life_weights(interactions.ages(at), self.half_life)
        matrix = interactions.matrix(faded)
        matrix.data = np.sqrt(matrix.data)
        takers = np.maximum(np.bincount(matrix.indices, minlength=interactions.n_items), 1)
        matrix.data *= (takers[matrix.indices] / takers.max()) ** -self.popularity_exponent
        norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        matrix.data /= np.maximum(np.repeat(norms, np.diff(matrix.indptr)), 1e-12)
        columns = matrix.tocsc()
        columns.sort_indices()
        self.item_ids_ = interactions.item_ids
        self.n_users_ = interactions.n_users
        self.row_starts_ = matrix.indptr.astype(np.int64)
        self.row_items_ = matrix.indices.astype(np.int32)
        self.row_values_ = matrix.data.astype(np.float32)
        self.column_starts_ = columns.indptr.astype(np.int64)
        self.column_users_ = columns.indices.astype(np.int32)
        self.column_values_ = columns.data.astype(np.float32)
        self.row_ratings_ = self._ratings(interactions, matrix)
        return self

    def _ratings(self, interactions: Interactions, matrix: object) -> Floats:
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
        return [Terms("similar_shoppers", points[:, None].astype(np.float64), self.name, shoppers=shoppers)]

    def neighbours(self, history: History, at: float | None = None) -> Neighbours:
        """Places and cosines of the k stored users nearest to the history, nearest first, ties by place."""
        return history.once(self.row_values_, ("neighbours", at), lambda: self._neighbours(history, at))

    def _neighbours(self, history: History, at: float | None) -> Neighbours:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        if places.size == 0:
            return np.empty(0, np.int64), np.empty(0)
        values = np.sqrt(weights)
        sizes = self.column_starts_[places + 1] - self.column_starts_[places]
        takers = np.maximum(sizes, 1)
        values = values * (takers / self.n_users_) ** -self.popularity_exponent
        values /= np.linalg.norm(values)
        owners = np.repeat(np.arange(places.size), sizes)
        cells = ranges(self.column_starts_[places], sizes)
        cosines = np.bincount(
            self.column_users_[cells], self.column_values_[cells] * values[owners], minlength=self.n_users_
        )
        near = np.flatnonzero(cosines > 0)
        if near.size > self.n_neighbours:
            near = near[np.argpartition(-cosines[near], self.n_neighbours - 1)[: self.n_neighbours]]
        order = np.lexsort((near, -cosines[near]))
        return near[order].astype(np.int64), np.asarray(cosines[near[order]], dtype=np.float64)

    def predict_rating(self, history: History, item_id: ItemId, at: float | None = None) -> float:
        """Similarity-weighted mean of the neighbours' ratings of this item; NaN when none rated it."""
        (target,) = codes_of(self.item_ids_, [item_id])
        users, similarities = self.neighbours(history, at)
        if target < 0 or self.row_ratings_.size == 0 or users.size == 0:
            return float("nan")
        cells, owners = self._cells(users)
        hits = self.row_items_[cells] == target
        if not hits.any():
            return float("nan")
        return float(np.average(self.row_ratings_[cells][hits], weights=similarities[owners[hits]]))

    def _cells(self, users: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where the rows of ``users`` lie, and whose each cell is."""
        sizes = self.row_starts_[users + 1] - self.row_starts_[users]
        return ranges(self.row_starts_[users], sizes), np.repeat(np.arange(users.size), sizes)
