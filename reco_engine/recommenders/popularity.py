"""What everybody buys lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, need_interactions, pick


@dataclass
class Popularity(Explained):
    """Score items by how many users took them lately; the same for each shopper.

    A user counts once an item, however often they took it: the logarithm of the summed, faded counts.
    """

    name: ClassVar[str] = "popularity"

    half_life: float = 120.0  # days
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
        fading = half_life_weights(interactions.ages(at), self.half_life)
        self.item_ids_ = interactions.item_ids
        self.scores_ = np.log1p(interactions.takers_over(interactions.item_ids, fading))
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        row = pick(self.scores_, self.item_ids_, items)
        return np.broadcast_to(row, (len(histories), row.size)).copy()

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        points = np.nan_to_num(pick(self.scores_, self.item_ids_, items).astype(np.float64))
        return [Terms("popular", points[:, None], self.name)]
