"""Item-based collaborative filtering: who took this, also took that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.data.splits import inner_cases
from reco_engine.portrait.decay import half_life_weights
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, entries_of, need_interactions, ranges, rows_of
from .products import best_products
from .tuning import discovery, searched

START = {"activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3}
GRID = {
    "target_exponent": (0.1, 0.2, 0.3, 0.4, 0.5),
    "activity": (0.25, 0.4, 0.5, 0.7),
    "source_exponent": (0.3, 0.5, 0.7),
}
N_CASES = 4000
FEW_CASES = 50
"""Cases below which the starting exponents are as good a guess as any."""


@dataclass
class ItemCF(Explained):
    """Generalised item-item cosine, cut to the best targets of each source.

    ``s_ij = sum_u n_u^-activity x_ui x_uj / (|x_i|^2a |x_j|^2g)``, where a is ``source_exponent`` and g
    ``target_exponent``: 0.5, 0.5 and activity 0 is the textbook cosine ``a.b / (|a||b|)``. A score is the mean
    similarity to the history's items, weighted by the roots of their faded counts. Exponents left ``None`` are
    chosen in ``fit`` by what users took later (or, undated, by hidden items) in an inner split.

    Source:
        Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    """

    name: ClassVar[str] = "item_cf"

    activity: float | None = 0.5
    source_exponent: float | None = 0.5
    target_exponent: float | None = 0.4
    n_targets: int = 200
    half_life: float = 180.0  # days, in training
    history_half_life: float = 60.0  # days, of the live history
    min_support: int = 1  # shoppers behind each pair
    activity_: float = field(init=False, repr=False)
    source_exponent_: float = field(init=False, repr=False)
    target_exponent_: float = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    targets_: npt.NDArray[np.int32] = field(init=False, repr=False)
    similarities_: Floats = field(init=False, repr=False)

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
        chosen = self._exponents(interactions, seed, at)
        self.activity_, self.source_exponent_, self.target_exponent_ = (chosen[name] for name in START)
        faded = interactions.weights * half_life_weights(interactions.ages(at), self.half_life)
        matrix = interactions.matrix(faded)
        matrix.data = np.sqrt(matrix.data)  # a tenth purchase says less than the first
        squares = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
        activity = np.maximum(np.diff(matrix.indptr), 1).astype(np.float64) ** -self.activity_
        takers = sparse.csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
        right = sparse.diags(activity) @ matrix @ sparse.diags(_power(squares, -self.target_exponent_))
        left = sparse.diags(_power(squares, -self.source_exponent_)) @ matrix.T
        neighbours = best_products(
            left.tocsr(), right.tocsr(), takers, n_best=self.n_targets, min_support=self.min_support, progress=progress
        )
        self.item_ids_ = interactions.item_ids
        self.targets_ = neighbours.indices.astype(np.int32)
        self.similarities_ = neighbours.data.astype(np.float32)
        self.starts_ = neighbours.indptr.astype(np.int64)
        return self

    def _exponents(self, interactions: Interactions, seed: int, at: float | None) -> dict[str, float]:
        given = {name: value for name in START if (value := getattr(self, name)) is not None}
        if len(given) == len(START):
            return given
        before, cases = inner_cases(interactions, at=at, n_cases=N_CASES, rng=generator(seed, "item_cf cases"))
        start = {**START, **given}
        if len(cases) < FEW_CASES:
            return start
        cut = before.newest

        def measure(exponents: dict[str, float]) -> float:
            model = replace(self, **exponents)  # type: ignore[arg-type]
            return discovery(model.fit(before, seed=seed, at=cut), cases, at=cut)

        return searched(measure, start, {name: choices for name, choices in GRID.items() if name not in given})

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, shares = self._shares(history, at)
            if places.size == 0:
                continue
            targets, terms, _ = self._terms(places, shares)
            totals = np.bincount(targets, terms, minlength=self.item_ids_.size)
            if wanted is None:
                scores[row] = totals
            else:
                scores[row] = np.where(wanted >= 0, totals[wanted], np.nan)
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        places, shares = self._shares(history, at)
        targets, terms, owners = self._terms(places, shares)
        rows = rows_of(self.item_ids_.size, wanted)[targets]
        hits = np.flatnonzero(rows >= 0)
        points = np.zeros((wanted.size, places.size))
        points[rows[hits], owners[hits]] = terms[hits]
        return [Terms("history_item", points, self.name, self.item_ids_[places])]

    def _shares(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The history's places and what each counts, damped as in training and summing to 1."""
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        damped = np.sqrt(weights)
        return places, damped / (damped.sum() or 1.0)

    def _terms(
        self, places: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """All terms of all targets: target places, points, and which entry of the history each comes from."""
        sizes = self.starts_[places + 1] - self.starts_[places]
        owners = np.repeat(np.arange(places.size), sizes)
        cells = ranges(self.starts_[places], sizes)
        return self.targets_[cells], self.similarities_[cells] * shares[owners], owners


def _power(values: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    return np.where(values > 0, np.maximum(values, 1e-12) ** exponent, 0.0)
