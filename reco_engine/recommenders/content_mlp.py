"""Content MLP: what an item is made of, through a hidden layer, to a score for every user; for new items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import Keys, feature_matrix
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.errors import BadInputError
from reco_engine.portrait.decay import half_life_weights
from reco_engine.seeds import generator
from reco_engine.types import Floats, Items, Scores, Terms

from .base import NEVER_TAKEN, Progress, need_catalogue, need_interactions, takings_of
from .likeness import BLOCK, OfContent, Places
from .networks import item_vectors, train_item_network


@dataclass
class ContentMLP(OfContent):
    """Item features -> hidden layer -> factors; a live shopper's output row is the mean of the history's.

    ``score_i = prior_i (base + sum_h share_h (likeness f_h.f_i + z_h.z_i))``: ``f`` are the weighted features,
    ``z`` the network's factors, ``share`` the history's faded weights, summing to 1. ``prior_i`` is the item's
    takings over the largest, to the power of ``popularity_exponent``. An item never taken has half a taking
    where its features sell as the mean item does, more where they sell better: a Poisson regression of takings
    on features says how much. ``with_catalogue`` takes in the items that came after the fit.

    Source:
        Cheng et al., "Wide & deep learning for recommender systems", DLRS 2016.
    """

    name: ClassVar[str] = "content_mlp"

    n_features: int = 20_000  # that the network reads: those of the most items
    n_hidden: int = 64
    n_factors: int = 32
    n_epochs: int = 4
    batch: int = 64
    dropout: float = 0.3
    learning_rate: float = 5e-3
    weight_decay: float = 1e-4
    shrinkage: float = 0.1  # of the regression that tells takings from features
    appeal_exponent: float = 0.5  # how much of it is believed
    half_life: float = 120.0  # days, in training
    n_train_items: int = 6000  # the most taken, at most
    n_train_users: int = 20_000  # drawn at random, at most
    popularity_exponent: float = 1.0
    input_keys_: Keys = field(init=False, repr=False)
    first_: Floats = field(init=False, repr=False)
    first_bias_: Floats = field(init=False, repr=False)
    second_: Floats = field(init=False, repr=False)
    second_bias_: Floats = field(init=False, repr=False)
    shares_: Floats = field(init=False, repr=False)
    appeals_: Floats = field(init=False, repr=False)
    mean_appeal_: float = field(init=False, repr=False)
    most_taken_: float = field(init=False, repr=False)
    vectors_: Floats = field(init=False, repr=False)

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
        self._learn_features(interactions, items, seed)
        features, keys = feature_matrix(items)
        counts = np.bincount(features.indices, minlength=keys.size)
        kept = np.sort(np.argsort(-counts, kind="stable")[: self.n_features])
        features, self.input_keys_ = features[:, kept], keys[kept]
        takings = takings_of(interactions, items.item_ids, at, self.half_life)
        self._learn_appeals(features, takings)
        self._learn_factors(interactions, features, takings, seed, at, progress)
        self.vectors_ = self._forward(features)
        self.most_taken_ = float(takings.max())
        self.priors_ = self._priors(takings - NEVER_TAKEN, features)
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = np.arange(self.item_ids_.size) if items is None else codes_of(self.item_ids_, items)
        known = wanted >= 0
        rows, vectors = (
            (self._rows, self.vectors_) if items is None else (self._rows[wanted[known]], self.vectors_[wanted[known]])
        )
        scores = np.full((len(histories), wanted.size), np.nan, np.float32)
        base, likeness, _ = self.shares_.tolist()
        for start in range(0, len(histories), BLOCK):
            block = histories[start : start + BLOCK]
            alike = (rows @ self._mixed(block, self._rows, at).T).T * likeness
            outputs = self._mixed(block, self.vectors_, at)
            scores[start : start + BLOCK, known] = (base + alike + outputs @ vectors.T) * self.priors_[wanted[known]]
        scores[self._unknown(histories, at)] = np.nan
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        places, shares = self._shares(history, at)
        if places.size == 0:
            return []
        base, likeness, _ = self.shares_.tolist()
        known = wanted >= 0
        priors = np.where(known, self.priors_[wanted], 0.0).astype(np.float64)
        alike = (self._rows[wanted[known]] @ self._rows[places].T).toarray() * likeness
        points = np.zeros((wanted.size, places.size))
        points[known] = (alike + self.vectors_[wanted[known]] @ self.vectors_[places].T) * shares
        return [
            Terms("history_item", points * priors[:, None], self.name, self.item_ids_[places]),
            Terms("popular", base * priors[:, None], self.name),
        ]

    def _take_in(self, newcomers: Catalogue, rows: Places) -> None:
        super()._take_in(newcomers, rows)
        fresh, _ = feature_matrix(newcomers, self.input_keys_)
        self.vectors_ = np.concatenate([self.vectors_, self._forward(fresh)])[rows]

    def _newcomer_priors(self, newcomers: Catalogue) -> npt.NDArray[np.float32]:
        features, _ = feature_matrix(newcomers, self.input_keys_)
        return self._priors(np.zeros(len(newcomers)), features)

    def _priors(self, takings: npt.NDArray[np.float64], features: sparse.csr_matrix) -> npt.NDArray[np.float32]:
        """Takings and what features add to them, over the most taken item's, to a power; above zero."""
        foretold = NEVER_TAKEN * self._appeals_of(features) / self.mean_appeal_
        return np.asarray(((takings + foretold) / self.most_taken_) ** self.popularity_exponent, dtype=np.float32)

    def _appeals_of(self, features: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """Takings that features foretell, up to a factor, above zero, shape (n_items,)."""
        return np.asarray(
            np.exp(np.clip(self.appeal_exponent * (features @ self.appeals_), -20.0, 20.0)), dtype=np.float64
        )

    def _learn_appeals(self, features: sparse.csr_matrix, takings: npt.NDArray[np.float64]) -> None:
        """From items that were taken at all: why the others were not is unknown, they may be new.

        Raises:
            BadInputError: If none was.
        """
        taken = takings > NEVER_TAKEN
        if not taken.any():
            raise BadInputError(
                "catalogue holds none of the items that were taken lately; pass the catalogue they are of"
            )
        if features.shape[1] == 0:
            raise BadInputError("catalogue says nothing of its items; give text, category, brand, price or attributes")
        from sklearn.linear_model import PoissonRegressor  # here: a web process does without

        regression = PoissonRegressor(alpha=self.shrinkage, max_iter=300).fit(features[taken], takings[taken])
        self.appeals_ = regression.coef_.astype(np.float64)
        self.mean_appeal_ = float(self._appeals_of(features[taken]).mean())

    def _learn_factors(
        self,
        interactions: Interactions,
        features: sparse.csr_matrix,
        takings: npt.NDArray[np.float64],
        seed: int,
        at: float | None,
        progress: Progress | None,
    ) -> None:
        rng = generator(seed, "content_mlp")
        faded = half_life_weights(interactions.ages(at), self.half_life)
        matrix = interactions.matrix_over(self.item_ids_, faded)
        takers = np.bincount(matrix.indices, minlength=matrix.shape[1])
        kept = np.sort(np.argsort(-takers, kind="stable")[: min(self.n_train_items, int(np.sum(takers > 0)))])
        some = np.sort(rng.permutation(matrix.shape[0])[: self.n_train_users])
        targets = sparse.csr_matrix(matrix[some][:, kept]).sqrt()
        likeness = self._rows[kept]
        expected = self._appeals_of(features[kept])
        learnt = train_item_network(
            features[kept],
            likeness[:, np.unique(likeness.indices)],
            targets,
            takings[kept],
            expected=expected,
            n_hidden=self.n_hidden,
            n_factors=self.n_factors,
            n_epochs=self.n_epochs,
            batch=self.batch,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            seed=seed,
            progress=progress,
        )
        for name, array in learnt.items():
            setattr(self, f"{name}_", array)

    def _forward(self, features: sparse.csr_matrix) -> npt.NDArray[np.float32]:
        """The factors of items, scaled by how much they count."""
        names = ("first", "first_bias", "second", "second_bias")
        vectors = item_vectors({name: getattr(self, f"{name}_") for name in names}, features)
        return np.asarray(vectors * np.sqrt(self.shares_[2]), dtype=np.float32)
