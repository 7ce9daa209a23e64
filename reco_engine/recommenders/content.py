"""Content-based: more of what the shopper's own items are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.data.splits import inner_cases
from reco_engine.seeds import generator
from reco_engine.types import Floats, Items, Scores, Terms

from .base import NEVER_TAKEN, Progress, best_open, need_catalogue, takings_of
from .likeness import BLOCK, OfContent, Places, features_rng
from .tuning import discovery, searched

START = {"base": 0.1, "popularity_exponent": 1.0}
GRID = {"base": (0.01, 0.03, 0.1, 0.3), "popularity_exponent": (0.5, 0.75, 1.0, 1.25)}
N_CASES = 400
FEW_CASES = 50
"""Cases below which the starting values are as good a guess as any."""


@dataclass
class ContentBased(OfContent):
    """What an item shares with the history, times a prior for how often items are taken.

    ``score_i = (base + sum_h share_h f_h.f_i) prior_i``: ``f`` are the items' features, weighted by how much
    each says of taste; ``share`` is the history's faded weights, summing to 1; ``prior_i`` is the item's count
    over the largest one, to the power of ``popularity_exponent``. An item never taken has half a count, so that
    it is scored from the moment it is in the catalogue; ``with_catalogue`` takes in those that came after the
    fit. ``base`` and ``popularity_exponent`` left ``None`` are chosen in ``fit`` on an inner split.
    """

    name: ClassVar[str] = "content"

    half_life: float = 120.0  # days, of the counts
    popularity_exponent: float | None = 1.0
    base: float | None = 0.1  # what an item has that shares nothing with the history
    newcomer_prior_: float = field(init=False, repr=False)
    popularity_exponent_: float = field(init=False, repr=False)
    base_: float = field(init=False, repr=False)

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
        chosen = self.chosen(interactions, items, seed, at)
        self._learn_features(interactions, items, seed)
        return self._with(chosen, takings_of(interactions, items.item_ids, at, self.half_life))

    def learn(
        self,
        items: Catalogue,
        taken: sparse.csr_matrix,
        takers: npt.NDArray[np.float64],
        settings: Mapping[str, Any],
        seed: int,
    ) -> Self:
        """Take over what was counted.

        Args:
            taken: Which of the items some users took, few enough to look at each, shape (n_users, n_items).
            takers: How many users took each item lately, of all, shape (n_items,).
            settings: As ``chosen`` gives them.
        """
        self._learn_taken(taken, items, rng=features_rng(seed))
        return self._with(settings, takers + NEVER_TAKEN)

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = np.arange(self.item_ids_.size) if items is None else codes_of(self.item_ids_, items)
        known = wanted >= 0
        rows = self._rows if items is None else self._rows[wanted[known]]
        scores = np.full((len(histories), wanted.size), np.nan, np.float32)
        for start in range(0, len(histories), BLOCK):
            likeness = rows @ self._mixed(histories[start : start + BLOCK], self._rows, at).T
            scores[start : start + BLOCK, known] = (self.base_ + likeness.T) * self.priors_[wanted[known]]
        scores[self._unknown(histories, at)] = np.nan
        return scores

    def proposed(self, history: History, open_: npt.NDArray[np.bool_], n: int, at: float | None) -> Places:
        """As ``Proposer`` says: only items that can be among the best by their outline are scored."""
        if self._unknown([history], at)[0]:
            return np.empty(0, np.int64)
        (taste,) = self._mixed([history], self._rows, at)
        highest = np.where(open_, (self.base_ + self._outline.at_most(taste)) * self.priors_, 0.0)
        places = np.flatnonzero(open_)
        if places.size > n > 0:
            likely = np.argpartition(highest, highest.size - n)[highest.size - n :]
            places = np.flatnonzero(open_ & (highest >= self._scores_at(likely, taste).min()))
        scores = self._scores_at(places, taste)
        return places[best_open(scores, np.ones(places.size, dtype=bool), n)]

    def softened(self, exponent: float) -> Self:
        """This model with its priors to a power: below 1, likeness decides more. Both share what is drawn once."""
        _ = self._outline
        other = copy(self)
        other.priors_ = self.priors_**exponent
        return other

    def _scores_at(self, places: Places, taste: Floats) -> Scores:
        """Scores of the items at some places, for one history's features."""
        return np.asarray((self.base_ + (self._rows[places] @ taste[:, None])[:, 0]) * self.priors_[places])

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        places, shares = self._shares(history, at)
        if places.size == 0:
            return []
        known = wanted >= 0
        priors = np.where(known, self.priors_[wanted], 0.0).astype(np.float64)
        points = np.zeros((wanted.size, places.size))
        points[known] = (self._rows[wanted[known]] @ self._rows[places].T).toarray() * shares
        return [
            Terms("feature", points * priors[:, None], self.name, self.item_ids_[places]),
            Terms("popular", self.base_ * priors[:, None], self.name),
        ]

    def _newcomer_priors(self, newcomers: Catalogue) -> npt.NDArray[np.float32]:
        return np.full(len(newcomers), self.newcomer_prior_, dtype=np.float32)

    def _with(self, settings: Mapping[str, Any], takings: npt.NDArray[np.float64]) -> Self:
        """This model under other settings; what items are made of stays."""
        self.base_, self.popularity_exponent_ = float(settings["base"]), float(settings["popularity_exponent"])
        top = float(takings.max())
        self.priors_ = np.asarray((takings / top) ** self.popularity_exponent_, dtype=np.float32)
        self.newcomer_prior_ = float(np.float32((NEVER_TAKEN / top) ** self.popularity_exponent_))
        return self

    def chosen(self, interactions: Interactions, items: Catalogue, seed: int, at: float | None) -> dict[str, Any]:
        """What was given, and for the rest what served users best in an inner split; features are learnt once."""
        given = {name: value for name in START if (value := getattr(self, name)) is not None}
        usual = {**START, **given}
        if len(given) == len(START) or len(interactions) == 0:
            return usual
        before, cases = inner_cases(interactions, at=at, n_cases=N_CASES, rng=generator(seed, "content cases"))
        if len(cases) < FEW_CASES:
            return usual
        trial, cut = copy(self), before.newest
        trial._learn_features(before, items, seed)
        takings = takings_of(before, items.item_ids, cut, self.half_life)
        grid = {name: choices for name, choices in GRID.items() if name not in given}
        return searched(lambda each: discovery(trial._with(each, takings), cases, at=cut), usual, grid)
