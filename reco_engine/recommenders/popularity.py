"""What everybody buys lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, ItemId, Reason, Scores

from .base import Explainer, Progress, need_interactions, pick


@dataclass
class Popularity:
    """Score items by how many users took them lately; the same for each shopper.

    A user counts once an item, however often they took it: the logarithm of the summed, faded counts.
    """

    name: ClassVar[str] = "popularity"

    half_life: float = 60.0  # days
    item_ids_: Ids = field(init=False, repr=False)
    scores_: Floats = field(init=False, repr=False)

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
        faded = np.minimum(interactions.weights, 1.0) * half_life_weights(interactions.ages(at), self.half_life)
        newest = interactions.matrix(faded)
        newest.data = np.minimum(newest.data, 1.0)
        counts = np.asarray(newest.sum(axis=0)).ravel()
        self.item_ids_ = interactions.item_ids
        self.scores_ = np.log1p(counts)
        return self

    def score(
        self, histories: Sequence[History], items: Sequence[ItemId] | None = None, at: float | None = None
    ) -> Scores:
        row = pick(self.scores_, self.item_ids_, items)
        return np.broadcast_to(row, (len(histories), row.size)).copy()

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        return self.explainer(history, at)(item_id)

    def explainer(self, history: History, at: float | None = None) -> Explainer:
        def reasons(item_id: ItemId) -> tuple[Reason, ...]:
            (place,) = codes_of(self.item_ids_, [item_id])
            return () if place < 0 else (Reason("popular", float(self.scores_[place]), source=self.name),)

        return reasons
