"""What the shopper buys again and again, when it is about time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.errors import BadInputError
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, need_interactions, rows_of
from .habits import Days, days_of, habits_of
from .quadratic import chances, products_of, standardised
from .repeat_fit import Chance, belief, learnt
from .repeat_items import repeat_items

HALF_LIVES = (7.0, 14.0, 30.0, 90.0, 365.0)  # days


@dataclass
class BuyAgain(Explained):
    """Score the history's own items by the chance that the shopper takes them again; no opinion of any other.

    A logistic regression on the shopper's days with the item (counts faded with several half-lives, how far
    they are through their own interval) and on the item itself (how many of its takers repeat, whether it rises,
    how much it is taken lately), with all products of two. It is learnt in ``fit``: habits up to ``horizon``
    days before the newest interaction, and who of the shoppers that came back repeated within them; so it is the
    chance for one who comes back. Where there is little to learn from, or
    nothing is dated, it stays near a faded count. Points of kind "repeat" are the chance for an item of
    average features, those of kind "popular" the rest.

    Attributes:
        horizon: Days within which taking again counts; a third of the data's span at most.
        half_life: Days; given, chances follow the count faded with it, and nothing is learnt.
    Source:
        Counts faded at several rates: Hu et al., "Modeling personalized item frequency information for
        next-basket recommendation", SIGIR 2020. Intervals and items' repeat rates: Bhagat et al., "Buy it
        again: modeling repeat purchase recommendations", KDD 2018.
    """

    name: ClassVar[str] = "buy_again"

    horizon: float = 35.0
    half_life: float | None = None
    half_lives_: Floats = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    item_features_: Floats = field(init=False, repr=False)  # shape (n_items, 3), standardised
    means_: npt.NDArray[np.float64] = field(init=False, repr=False)  # of the habits
    deviations_: npt.NDArray[np.float64] = field(init=False, repr=False)
    weights_: npt.NDArray[np.float64] = field(init=False, repr=False)

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
        """Learn; of ``catalogue`` nothing is needed.

        Raises:
            BadInputError: If there are no interactions, or a setting is not above zero.
        """
        need_interactions(interactions)
        for setting in ("horizon", "half_life"):
            if (value := getattr(self, setting)) is not None and value <= 0:
                raise BadInputError(f"{setting} must be above zero days, not {value}")
        self.half_lives_ = np.asarray(HALF_LIVES if self.half_life is None else (self.half_life,))
        chance = belief(self.half_lives_)
        if self.half_life is None and interactions.dated:
            rng = generator(seed, "buy-again shoppers")
            chance = learnt(interactions, self.half_lives_, horizon=self.horizon, rng=rng)
        self._keep(chance, interactions, at)
        return self

    def _keep(self, chance: Chance, interactions: Interactions, at: float | None) -> None:
        n_habits = self.half_lives_.size + 1
        pairs, inverse = np.unique(
            interactions.users.astype(np.int64) * interactions.n_items + interactions.items, return_inverse=True
        )
        days = days_of(
            inverse, interactions.ages(at), interactions.weights, n_pairs=pairs.size, dated=interactions.dated
        )
        features = repeat_items(days, pairs % interactions.n_items, interactions.n_items)
        standard = standardised(features, chance.means[n_habits:], chance.deviations[n_habits:])
        self.item_ids_ = interactions.item_ids
        self.item_features_ = standard.astype(np.float32)
        self.means_, self.deviations_ = chance.means[:n_habits], chance.deviations[:n_habits]
        self.weights_ = chance.weights

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, points = self._points(history, at)
            if wanted is None:
                scores[row, places] = points.sum(axis=1)
                continue
            found = rows_of(self.item_ids_.size, places)[wanted]
            known = (wanted >= 0) & (found >= 0)
            scores[row, known] = points.sum(axis=1)[found[known]]
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        places, points = self._points(history, at)
        own = codes_of(self.item_ids_, items)[:, None] == places
        return [
            Terms("repeat", own * points[:, 0], self.name, self.item_ids_[places]),
            Terms("popular", (own @ points[:, 1])[:, None], self.name),
        ]

    def _points(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The history's items, as places, and their points: of habit and of the item itself, shape (n, 2)."""
        return history.once(self.weights_, ("repeat", at), lambda: self._chances(history, at))

    def _chances(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        places, days = self._days(history, at)
        if places.size == 0:
            return places, np.zeros((0, 2))
        habits = standardised(habits_of(days, self.half_lives_), self.means_, self.deviations_)
        features = self.item_features_[places].astype(np.float64)
        alone = chances(products_of(np.hstack([habits, np.zeros_like(features)])) @ self.weights_)
        whole = chances(products_of(np.hstack([habits, features])) @ self.weights_)
        return places, np.stack([alone, whole - alone], axis=1)

    def _days(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], Days]:
        codes, weights = codes_of(self.item_ids_, history.items), history.values()
        known = np.flatnonzero((codes >= 0) & (weights > 0))
        places, inverse = np.unique(codes[known], return_inverse=True)
        dated = history.timestamps is not None
        days = days_of(inverse, history.ages(at)[known], weights[known], n_pairs=places.size, dated=dated)
        return places, days
