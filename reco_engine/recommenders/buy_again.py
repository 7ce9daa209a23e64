"""What the shopper buys again and again, when it is about time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.types import Ids, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_interactions


@dataclass
class BuyAgain(Explained):
    """Score the history's own items by their faded counts; no opinion of any other item."""

    name: ClassVar[str] = "buy_again"

    half_life: float = 90.0  # days
    item_ids_: Ids = field(init=False, repr=False)

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
        self.item_ids_ = interactions.item_ids
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, counts = entries_of(history, self.item_ids_, self.half_life, at)
            whole = np.full(self.item_ids_.size + 1, np.nan)  # the last place is that of unknown items
            whole[places] = counts
            scores[row] = whole[:-1] if wanted is None else whole[wanted]
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        places, counts = entries_of(history, self.item_ids_, self.half_life, at)
        own = codes_of(self.item_ids_, items)[:, None] == places
        return [Terms("repeat", own * counts, self.name, self.item_ids_[places])]
