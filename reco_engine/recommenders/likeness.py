"""Weighted features of the items as a model's learned arrays: what both recommenders of content compare by."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import Keys, feature_matrix, learnt_features, weighted_features
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids, Scores

from .base import Explained, entries_of, need_catalogue
from .outline import Outline

BLOCK = 32
"""Histories scored at once; it bounds the memory, and no score depends on it."""
Places = npt.NDArray[np.int64]


def features_rng(seed: int) -> np.random.Generator:
    """Draws the users whose takings weigh the features."""
    return generator(seed, "content features")


@dataclass
class OfContent(Explained):
    """Items by features, float32, and a prior for each item; how a history asks for features."""

    history_half_life: float = 60.0  # days, of the live history
    min_support: int = 1  # shoppers behind what is learnt of a feature
    item_ids_: Ids = field(init=False, repr=False)
    starts_: npt.NDArray[np.int32] = field(init=False, repr=False)
    features_: npt.NDArray[np.int32] = field(init=False, repr=False)
    values_: Floats = field(init=False, repr=False)
    feature_keys_: Keys = field(init=False, repr=False)
    feature_weights_: npt.NDArray[np.float64] = field(init=False, repr=False)
    priors_: Floats = field(init=False, repr=False)

    @property
    def item_ids(self) -> Ids:
        return self.item_ids_

    def features_of(self, places: Places) -> sparse.csr_matrix:
        """The weighted features of the items at some places, zero or more, shape (len(places), n_features)."""
        return self._rows[places]

    def with_catalogue(self, catalogue: Catalogue) -> Self:
        """This model over the items of another catalogue, with nothing learnt anew.

        Items it knows keep their numbers, to the bit; others get features under the learnt weights, and the
        prior of an item never taken. A feature that no item had when the weights were learnt is left out: it
        could liken new items to each other only, and of its weight nothing is known.

        Raises:
            BadInputError: If the catalogue is empty.
        """
        items = need_catalogue(catalogue)
        places = codes_of(self.item_ids_, items.item_ids)
        newcomers = np.flatnonzero(places < 0)
        rows = places.copy()
        rows[newcomers] = self.item_ids_.size + np.arange(newcomers.size)
        wider = copy(self)
        wider.item_ids_ = items.item_ids
        wider._take_in(items.where(newcomers), rows)
        return wider

    def _take_in(self, newcomers: Catalogue, rows: Places) -> None:
        """Learned arrays of the items kept and new: ``rows`` of what was there and ``newcomers`` put under it."""
        found, _ = feature_matrix(newcomers, self.feature_keys_)
        fresh, outline = weighted_features(found, self.feature_weights_), vars(self).get("_outline")
        self._keep(sparse.vstack([self._rows, fresh], format="csr")[rows])
        if outline is not None:
            vars(self)["_outline"] = outline.beside(fresh, rows)
        self.priors_ = np.concatenate([self.priors_, self._newcomer_priors(newcomers)])[rows]

    @abstractmethod
    def _newcomer_priors(self, newcomers: Catalogue) -> npt.NDArray[np.float32]:
        """The priors of items that came after the fit, shape (len(newcomers),)."""

    def _learn_features(self, interactions: Interactions, items: Catalogue, seed: int) -> None:
        taken = interactions.matrix_over(items.item_ids, np.ones(len(interactions)))
        self._learn_taken(taken, items, rng=features_rng(seed))

    def _learn_taken(self, taken: sparse.csr_matrix, items: Catalogue, *, rng: np.random.Generator) -> None:
        """From which of the items each user took, shape (n_users, n_items)."""
        matrix, self.feature_keys_, self.feature_weights_ = learnt_features(
            items, taken, rng=rng, min_support=self.min_support
        )
        self.item_ids_ = items.item_ids
        self._keep(matrix)

    def _keep(self, matrix: sparse.csr_matrix) -> None:
        for known in ("_rows", "_outline"):
            vars(self).pop(known, None)  # of an earlier fit
        self.starts_ = matrix.indptr.astype(np.int32)
        self.features_ = matrix.indices.astype(np.int32)
        self.values_ = matrix.data

    @cached_property
    def _rows(self) -> sparse.csr_matrix:
        """Items by features, on the learned arrays themselves."""
        shape = (self.starts_.size - 1, self.feature_keys_.size)
        return sparse.csr_matrix((self.values_, self.features_, self.starts_), shape=shape)

    @cached_property
    def _outline(self) -> Outline:
        return Outline.of(self._rows)

    def _shares(self, history: History, at: float | None) -> tuple[Places, npt.NDArray[np.float64]]:
        """The history's places and its faded weights, summing to 1."""
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        return places, weights / (weights.sum() or 1.0)

    def _unknown(self, histories: Sequence[History], at: float | None) -> npt.NDArray[np.bool_]:
        """Which histories hold no known item, shape (n_histories,)."""
        return np.asarray([self._shares(history, at)[0].size == 0 for history in histories], dtype=bool)

    def _mixed(self, histories: Sequence[History], rows: sparse.csr_matrix | Floats, at: float | None) -> Scores:
        """The mean of each history's ``rows``, by shares, one row a history; zeros where none of its items is known."""
        mixed = np.zeros((len(histories), int(rows.shape[1])), dtype=np.float32)
        for row, history in enumerate(histories):
            places, shares = self._shares(history, at)
            if places.size:
                mixed[row] = shares.astype(np.float32) @ rows[places]
        return mixed
