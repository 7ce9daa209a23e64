"""Content-based: more of what the shopper's own items are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix, lifts, weighted_features
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_catalogue, priors_of


@dataclass
class ContentBased(Explained):
    """What an item shares with the history, times a prior for how often items are taken.

    ``score_i = (base + sum_h share_h f_h.f_i) prior_i``: ``f`` are the items' features, weighted by how much
    each says of taste; ``share`` is the history's faded weights, summing to 1; ``prior_i`` is the item's count
    over the largest one, to the power of ``popularity_exponent``. An item never taken has half a count, so that
    it is scored from the moment it is in the catalogue.
    """

    name: ClassVar[str] = "content"

    history_half_life: float = 60.0  # days, of the live history
    half_life: float = 120.0  # days, of the counts
    popularity_exponent: float = 1.0
    base: float = 0.1  # what an item has that shares nothing with the history
    item_ids_: Ids = field(init=False, repr=False)
    starts_: npt.NDArray[np.int32] = field(init=False, repr=False)
    features_: npt.NDArray[np.int32] = field(init=False, repr=False)
    values_: Floats = field(init=False, repr=False)
    n_features_: int = field(init=False, repr=False)
    priors_: Floats = field(init=False, repr=False)

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
        features = feature_matrix(items)
        taken = interactions.matrix_over(items.item_ids, np.ones(len(interactions)))
        matrix = weighted_features(features, lifts(features, taken)).astype(np.float32)
        matrix.sort_indices()
        vars(self).pop("_matrix", None)  # that of an earlier fit
        self.item_ids_ = items.item_ids
        self.starts_ = matrix.indptr.astype(np.int32)
        self.features_ = matrix.indices.astype(np.int32)
        self.values_ = matrix.data
        self.n_features_ = matrix.shape[1]
        self.priors_ = priors_of(interactions, items.item_ids, at, self.half_life, self.popularity_exponent)
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, shares = self._shares(history, at)
            if places.size == 0:
                continue
            interest = shares.astype(np.float32) @ self._matrix[places]
            if wanted is None:
                scores[row] = (self.base + self._matrix @ interest) * self.priors_
            else:
                known = wanted >= 0
                affinity = self._matrix[wanted[known]] @ interest
                scores[row, known] = (self.base + affinity) * self.priors_[wanted[known]]
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        places, shares = self._shares(history, at)
        if places.size == 0:
            return []
        known = wanted >= 0
        priors = np.where(known, self.priors_[wanted], 0.0).astype(np.float64)
        points = np.zeros((wanted.size, places.size))
        points[known] = (self._matrix[wanted[known]] @ self._matrix[places].T).toarray() * shares
        return [
            Terms("feature", points * priors[:, None], self.name, self.item_ids_[places]),
            Terms("popular", self.base * priors[:, None], self.name),
        ]

    def _shares(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        return places, weights / (weights.sum() or 1.0)

    @cached_property
    def _matrix(self) -> sparse.csr_matrix:
        """Items by features, float32, on the learned arrays themselves."""
        shape = (self.item_ids_.size, self.n_features_)
        return sparse.csr_matrix((self.values_, self.features_, self.starts_), shape=shape)
