"""What more shoppers try for the first time now than its past leads one to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, need_interactions, pick


@dataclass
class Trending(Explained):
    """Score items by their rise: the logarithm of newcomers lately over those to be expected, both damped.

    ``log((c + calm) / (e + calm))``: c counts the users who took the item for the first time in the last ``days``,
    e is what the item's share of the earlier, faded takers makes of all such first times. It is the mean ratio of a
    Poisson count under a gamma prior of mean 1, so that one sale of a new item is no trend; regular customers who
    come back are none either. Zero is as expected, below it the item falls. Where nothing is earlier than ``days``,
    everything is as expected.

    Attributes:
        days: What counts as lately.
        half_life: Days, of the takers before.
        calm: Takers, expected and found, that are added to each item's own.
    Source:
        DuMouchel, "Bayesian data mining in large frequency tables", The American Statistician 1999, with a
        single gamma prior.
    """

    name: ClassVar[str] = "trending"

    days: float = 21.0
    half_life: float = 60.0
    calm: float = 10.0
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
        """Count.

        Raises:
            BadInputError: If there are no interactions, or a setting is not above zero.
        """
        need_interactions(interactions)
        for setting in ("days", "half_life", "calm"):
            if (value := getattr(self, setting)) <= 0:
                raise BadInputError(f"{setting} must be above zero, not {value}")
        ages = interactions.ages(at)
        lately = ages <= self.days
        ids = interactions.item_ids
        found = _newcomers(interactions, lately)
        earlier = interactions.takers_over(ids, ~lately * half_life_weights(ages, self.half_life))
        self.item_ids_ = ids
        self.scores_ = np.log((found + self.calm) / (_expected(found, earlier) + self.calm))
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        row = pick(self.scores_, self.item_ids_, items)
        return np.broadcast_to(row, (len(histories), row.size)).copy()

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        points = np.nan_to_num(pick(self.scores_, self.item_ids_, items).astype(np.float64))
        return [Terms("popular", points[:, None], self.name)]


def _newcomers(interactions: Interactions, lately: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """How many users took each item, with a weight above zero, and none of it before, shape (n_items,)."""
    pairs = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
    counted = interactions.weights > 0
    before = np.unique(pairs[counted & ~lately])
    now = np.unique(pairs[counted & lately])
    fresh = now[~np.isin(now, before, assume_unique=True)]
    return np.asarray(np.bincount(fresh % interactions.n_items, minlength=interactions.n_items), dtype=np.float64)


def _expected(found: npt.NDArray[np.float64], earlier: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Newcomers lately if each item had its share of the earlier takers among them, shape (n_items,)."""
    total = earlier.sum()
    return earlier * (found.sum() / total) if total > 0 else found
