"""Behaviour MLP: the bag of what a shopper took, through a hidden layer, to a score for every item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_interactions
from .networks import train_bag_network

PATH_STEPS = 16


@dataclass
class BehaviourMLP(Explained):
    """Multinomial likelihood over the items that enough users took; served by numpy.

    Source:
        Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018 (Mult-DAE).
    """

    name: ClassVar[str] = "behaviour_mlp"

    n_hidden: int = 128
    n_epochs: int = 15
    batch: int = 128
    dropout: float = 0.5
    learning_rate: float = 2e-3
    weight_decay: float = 2e-4
    half_life: float = 60.0  # days, in training
    history_half_life: float = 60.0  # days, of the live history
    min_users: int = 3  # takers below which there is no opinion of an item
    n_items: int = 8000  # the most taken, at most
    item_ids_: Ids = field(init=False, repr=False)
    encoder_: Floats = field(init=False, repr=False)
    encoder_bias_: Floats = field(init=False, repr=False)
    decoder_: Floats = field(init=False, repr=False)
    decoder_bias_: Floats = field(init=False, repr=False)

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
        takers = np.bincount(matrix.indices, minlength=interactions.n_items)
        kept = np.flatnonzero(takers >= min(self.min_users, int(takers.max())))
        if kept.size > self.n_items:
            kept = np.sort(kept[np.lexsort((kept, -takers[kept]))[: self.n_items]])
        bags = matrix[:, kept].tocsr()
        bags.data = np.sqrt(bags.data)
        bags = bags[np.flatnonzero(np.diff(bags.indptr))]
        learnt = train_bag_network(
            bags,
            bags,
            n_hidden=self.n_hidden,
            n_epochs=self.n_epochs,
            batch=self.batch,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            seed=seed,
            progress=progress,
        )
        self.item_ids_ = interactions.item_ids[kept]
        self.encoder_, self.encoder_bias_ = learnt["encoder"], learnt["encoder_bias"]
        self.decoder_, self.decoder_bias_ = learnt["decoder"], learnt["decoder_bias"]
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, values = self._bag(history, at)
            if places.size == 0:
                continue
            hidden = np.tanh(values @ self.encoder_[places] + self.encoder_bias_)
            if wanted is None:
                scores[row] = self.decoder_ @ hidden + self.decoder_bias_
            else:
                known = wanted >= 0
                scores[row, known] = self.decoder_[wanted[known]] @ hidden + self.decoder_bias_[wanted[known]]
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        """Integrated gradients along the straight path from the empty bag, and what the path leaves over.

        Source:
            Sundararajan et al., "Axiomatic attribution for deep networks", ICML 2017.
        """
        wanted = codes_of(self.item_ids_, items)
        places, values = self._bag(history, at)
        if places.size == 0:
            return []
        known = wanted >= 0
        encoder = self.encoder_[places].astype(np.float64)
        inward = values @ encoder
        steps = (np.arange(PATH_STEPS) + 0.5) / PATH_STEPS
        slope = (1.0 - np.tanh(np.outer(steps, inward) + self.encoder_bias_) ** 2).mean(axis=0)
        hidden = np.tanh(inward + self.encoder_bias_)
        points, totals = np.zeros((wanted.size, places.size)), np.zeros(wanted.size)
        decoder = self.decoder_[wanted[known]].astype(np.float64)
        points[known] = (decoder * slope) @ (values[:, None] * encoder).T
        totals[known] = decoder @ hidden + self.decoder_bias_[wanted[known]]
        return [
            Terms("history_item", points, self.name, self.item_ids_[places]),
            Terms("remainder", (totals - points.sum(axis=1))[:, None], self.name),
        ]

    def _bag(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        values = np.sqrt(weights)
        return places, values / (float(np.linalg.norm(values)) or 1.0)
