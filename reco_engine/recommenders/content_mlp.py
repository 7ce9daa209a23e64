"""Content MLP: what an item is made of, through a hidden layer, to a score for every user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.extmath import randomized_svd

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix, lifts, weighted_features
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_catalogue, need_interactions, priors_of
from .networks import train_item_network


@dataclass
class ContentMLP(Explained):
    """Item features -> hidden layer -> item vectors; a live shopper's output row is folded in from the history.

    The row solves ``w = A^-1 sum_i c_i z_i`` with ``A = prior Z'Z / n + sum_i c_i z_i z_i' + ridge I``, so
    that a new shopper and a new item both work; the score is ``prior_i z_i.w``, a sum over the history's items,
    where the prior is the item's count over the largest one; an item never taken has half a count.

    Source:
        Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, eq. 4.
    """

    name: ClassVar[str] = "content_mlp"

    n_features: int = 96
    n_hidden: int = 128
    n_factors: int = 48
    n_epochs: int = 12
    batch: int = 128
    learning_rate: float = 5e-3
    weight_decay: float = 1e-6
    half_life: float = 120.0  # days, in training
    history_half_life: float = 60.0  # days, of the live history
    n_train_items: int = 8000  # the most taken, at most
    prior: float = 20.0  # how much all items count as unknown interest
    ridge: float = 0.1
    popularity_exponent: float = 1.0
    item_ids_: Ids = field(init=False, repr=False)
    vectors_: Floats = field(init=False, repr=False)
    gram_: Floats = field(init=False, repr=False)
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
        need_interactions(interactions)
        items = need_catalogue(catalogue)
        features = self._dense_features(items, interactions, seed)
        faded = interactions.weights * half_life_weights(interactions.ages(at), self.half_life)
        matrix = interactions.matrix(faded)
        places = codes_of(items.item_ids, interactions.item_ids)
        takers = np.bincount(matrix.indices, minlength=interactions.n_items) * (places >= 0)
        kept = np.sort(np.lexsort((np.arange(takers.size), -takers))[: self.n_train_items])
        kept = kept[takers[kept] > 0]
        targets = matrix[:, kept].tocsr()
        targets.data = np.sqrt(targets.data)
        targets = targets[np.flatnonzero(np.diff(targets.indptr))]
        learnt = train_item_network(
            features[places[kept]],
            targets,
            n_hidden=self.n_hidden,
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            seed=seed,
            progress=progress,
        )
        vectors = np.tanh(features @ learnt["first"] + learnt["first_bias"]) @ learnt["second"]
        self.vectors_ = vectors / max(float(np.sqrt((vectors**2).sum(axis=1).mean())), 1e-9)
        self.gram_ = (self.vectors_.T.astype(np.float64) @ self.vectors_) / len(items)
        self.priors_ = priors_of(interactions, items.item_ids, at, self.half_life, self.popularity_exponent)
        self.item_ids_ = items.item_ids
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
            if places.size == 0:
                continue
            folded = history.once(self.vectors_, ("folded", at), partial(self._folded, places, weights))
            output = folded @ weights
            if wanted is None:
                scores[row] = (self.vectors_ @ output) * self.priors_
            else:
                known = wanted >= 0
                scores[row, known] = (self.vectors_[wanted[known]] @ output) * self.priors_[wanted[known]]
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        if places.size == 0:
            return []
        folded = history.once(self.vectors_, ("folded", at), partial(self._folded, places, weights))
        points = np.where(wanted >= 0, self.priors_[wanted], 0.0)[:, None] * self.vectors_[wanted].astype(np.float64)
        return [Terms("history_item", points @ (folded * weights), self.name, self.item_ids_[places])]

    def _folded(self, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """``A^-1 z_i`` for each item of the history, shape (n_factors, n_entries)."""
        vectors = self.vectors_[places].astype(np.float64)
        system = self.prior * self.gram_ + (vectors.T * weights) @ vectors
        system[np.diag_indices_from(system)] += self.ridge
        return np.asarray(np.linalg.solve(system, vectors.T))

    def _dense_features(self, items: Catalogue, interactions: Interactions, seed: int) -> npt.NDArray[np.float32]:
        features = feature_matrix(items)
        taken = interactions.matrix_over(items.item_ids, np.ones(len(interactions)))
        matrix = weighted_features(features, lifts(features, taken))
        n_features = max(1, min(self.n_features, min(matrix.shape) - 1))
        left, sizes, _ = randomized_svd(matrix, n_features, n_iter=3, random_state=seed)
        scaled = left * np.sqrt(sizes) * np.sqrt(len(items))
        return np.asarray(scaled, dtype=np.float32)
