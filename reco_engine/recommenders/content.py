"""Content-based: more of what the shopper's own items are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.types import Floats, Ids, ItemId, Reason, Scores

from .base import Explainer, Progress, entries_of, need_catalogue, ranges


@dataclass
class ContentBased:
    """Cosine between an item's features and the weighted, decayed mean of the history's features.

    The mean's terms are the history's items, so the score is a sum over them.
    """

    name: ClassVar[str] = "content"

    history_half_life: float = 30.0  # days, of the live history
    category: float = 1.0  # how much each group of features counts
    brand: float = 0.5
    price: float = 0.2
    text: float = 0.5
    item_ids_: Ids = field(init=False, repr=False)
    starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    features_: npt.NDArray[np.int32] = field(init=False, repr=False)
    values_: Floats = field(init=False, repr=False)
    column_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    column_items_: npt.NDArray[np.int32] = field(init=False, repr=False)
    column_values_: Floats = field(init=False, repr=False)

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
        items = need_catalogue(catalogue)
        matrix = feature_matrix(
            items, category=self.category, brand=self.brand, price=self.price, text=self.text
        ).matrix.astype(np.float32)
        matrix.sort_indices()
        columns = matrix.tocsc()
        self.item_ids_ = items.item_ids
        self.starts_ = matrix.indptr.astype(np.int64)
        self.features_ = matrix.indices.astype(np.int32)
        self.values_ = matrix.data
        self.column_starts_ = columns.indptr.astype(np.int64)
        self.column_items_ = columns.indices.astype(np.int32)
        self.column_values_ = columns.data
        return self

    def score(
        self, histories: Sequence[History], items: Sequence[ItemId] | None = None, at: float | None = None
    ) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
            if places.size == 0:
                continue
            interest = self._interest(places, weights)
            if wanted is not None:
                scores[row] = self._dot(wanted, interest)
                continue
            active = np.flatnonzero(interest)
            sizes = self.column_starts_[active + 1] - self.column_starts_[active]
            cells = ranges(self.column_starts_[active], sizes)
            terms = self.column_values_[cells] * np.repeat(interest[active], sizes)
            scores[row] = np.bincount(self.column_items_[cells], terms, minlength=self.item_ids_.size)
        return scores

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        return self.explainer(history, at)(item_id)

    def explainer(self, history: History, at: float | None = None) -> Explainer:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        shares = weights / self._length(places, weights)
        row = np.zeros(self.column_starts_.size - 1)

        def reasons(item_id: ItemId) -> tuple[Reason, ...]:
            (target,) = codes_of(self.item_ids_, [item_id])
            if target < 0 or places.size == 0:
                return ()
            own = slice(self.starts_[target], self.starts_[target + 1])
            row[self.features_[own]] = self.values_[own]
            points = self._dot(places, row) * shares
            row[self.features_[own]] = 0.0
            return tuple(
                Reason("feature", float(points[i]), evidence=(self.item_ids_[places[i]].item(),), source=self.name)
                for i in np.argsort(-points, kind="stable")
                if points[i] > 0
            )

        return reasons

    def _mean(self, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        sizes = self.starts_[places + 1] - self.starts_[places]
        cells = ranges(self.starts_[places], sizes)
        counts = np.bincount(
            self.features_[cells],
            self.values_[cells] * np.repeat(weights, sizes),
            minlength=self.column_starts_.size - 1,
        )
        return np.asarray(counts, dtype=np.float64)

    def _length(self, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> float:
        return float(np.linalg.norm(self._mean(places, weights))) or 1.0

    def _interest(self, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        mean = self._mean(places, weights)
        return mean / (float(np.linalg.norm(mean)) or 1.0)

    def _dot(self, places: npt.NDArray[np.int64], vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Products of items' rows with a feature vector; NaN for place -1."""
        known = np.maximum(places, 0)
        sizes = self.starts_[known + 1] - self.starts_[known]
        cells = ranges(self.starts_[known], sizes)
        owners = np.repeat(np.arange(places.size), sizes)
        products = self.values_[cells] * vector[self.features_[cells]]
        return np.where(places >= 0, np.bincount(owners, products, minlength=places.size), np.nan)
