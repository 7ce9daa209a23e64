"""Item-based collaborative filtering: who took this, also took that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.errors import EngineError
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Bags, Explained, Progress, bags_of, need_interactions, ranges, rows_of
from .lists import List, best_of_rows, closed_cells
from .similarity import Similarity
from .spectral import SpectralTerm
from .taken import Taken
from .tuning import Search

SEARCH = Search(
    start={
        "activity": 0.5,
        "source_exponent": 0.5,
        "target_exponent": 0.3,
        "half_life": 180.0,
        "history_half_life": 60.0,
        "spectral_weight": 0.0,
        "n_factors": 128,
        "n_targets": 400,
    },
    grid={
        "target_exponent": (0.1, 0.2, 0.4, 0.5),
        "activity": (0.25, 0.75),
        "source_exponent": (0.3, 0.7),
        "half_life": (60.0, 360.0),
        "history_half_life": (15.0, 30.0, 120.0),
        "spectral_weight": (0.05, 0.15, 0.4),
        "n_factors": (64, 256),
        "n_targets": (200, 800),
    },
    dated=("half_life", "history_half_life"),
    most_pairs=300_000_000,  # each is multiplied in every trial
)
BLOCK_CELLS = 2**20
"""Sums held at a time while scoring: few enough to stay in the processor's cache."""
BLOCK = 256
"""Histories listed at a time."""
RowsOf = Callable[[Similarity, int], sparse.csr_matrix]


@dataclass
class ItemCF(Explained):
    """Generalised item-item cosine plus a spectral term, cut to the best targets of each source.

    ``s_ij = sum_u n_u^-p x_ui x_uj / (|x_i|^2a |x_j|^2g) + w F_ij``, where p is ``activity``, a
    ``source_exponent``, g ``target_exponent`` and w ``spectral_weight``; 0.5, 0.5 and p = w = 0 is the textbook
    cosine ``a.b / (|a||b|)``. F is the graph filter ``D^-1/2 V V' D^1/2``, in units in which the best targets of
    both terms score alike. A score is the mean similarity to the history's items, weighted by the roots of their
    faded counts. Settings left ``None`` are chosen in ``fit`` by what users took later (undated: by hidden items).

    Source:
        Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004; for F see ``spectral``.
    """

    name: ClassVar[str] = "item_cf"

    activity: float | None = None
    source_exponent: float | None = None
    target_exponent: float | None = None
    half_life: float | None = None  # days, in training
    history_half_life: float | None = None  # days, of the live history
    spectral_weight: float | None = None
    n_factors: int | None = 128  # singular vectors behind the spectral term
    n_targets: int | None = None
    min_support: int = 1  # shoppers behind each pair
    updatable: bool = True  # keeps who took what, which ``update`` needs
    activity_: float = field(init=False, repr=False)
    source_exponent_: float = field(init=False, repr=False)
    target_exponent_: float = field(init=False, repr=False)
    half_life_: float = field(init=False, repr=False)
    history_half_life_: float = field(init=False, repr=False)
    spectral_weight_: float = field(init=False, repr=False)
    n_factors_: int = field(init=False, repr=False)
    n_targets_: int = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    targets_: npt.NDArray[np.int32] = field(init=False, repr=False)
    similarities_: Floats = field(init=False, repr=False)
    instant_: float = field(init=False, repr=False)
    popularity_: Floats = field(init=False, repr=False)
    levels_: npt.NDArray[np.int16] = field(init=False, repr=False)  # of the spectral term, no rows where there is none
    level_sources_: Floats = field(init=False, repr=False)
    level_targets_: Floats = field(init=False, repr=False)
    user_ids_: Ids = field(init=False, repr=False)
    row_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    row_items_: npt.NDArray[np.int32] = field(init=False, repr=False)
    row_weights_: Floats = field(init=False, repr=False)

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
        self.settle(SEARCH.settings_for(self, interactions, None, seed=seed, at=at, progress=progress))
        instant = interactions.instant(at)
        taken = Taken.of(interactions, instant, self.half_life_)
        return self.learn(taken, partial(_best_rows, taken, progress=progress), instant=instant, seed=seed)

    def settle(self, settings: Mapping[str, Any]) -> Self:
        """Take settings as chosen."""
        for name, value in settings.items():
            setattr(self, f"{name}_", value)
        return self

    def learn(
        self, taken: Taken, rows: RowsOf, *, instant: float, seed: int = 0, term_pairs: int | None = None
    ) -> Self:
        """Learn from what is taken as it looks at ``instant``, with the settings that were chosen.

        Args:
            rows: Gives every item's best targets, so many, by a similarity.
            term_pairs: Of more pairs of user and item, the spectral term learns those of users drawn at random.
        """
        self.instant_ = instant
        similarity = Similarity(
            self.activity_,
            self.source_exponent_,
            self.target_exponent_,
            taken.popularity(),
            min_support=self.min_support,
        )
        if self.spectral_weight_ > 0:
            some = taken if term_pairs is None else taken.some(term_pairs, generator(seed, "item_cf term"))
            told = replace(similarity, popularity=some.popularity())
            told = told.with_term(some, weight=self.spectral_weight_, n_factors=self.n_factors_, seed=seed)
            similarity = replace(similarity, spectral=told.spectral)
        return self._keep(taken, similarity, rows(similarity, self.n_targets_))

    def refit(self, interactions: Interactions) -> Self:
        """A model learnt anew from other interactions, with this one's settings, popularity, instant and factors."""
        need_interactions(interactions)
        taken = Taken.of(interactions, self.instant_, self.half_life_)
        return self.learn_anew(taken, partial(_best_rows, taken))

    def learn_anew(self, taken: Taken, rows: RowsOf) -> Self:
        """As ``refit``, of what is taken as it looks at this model's instant."""
        similarity = self._similarity().over(taken, codes_of(taken.item_ids, self.item_ids_))
        return copy(self)._keep(taken, similarity, rows(similarity, self.n_targets_))

    def renewed(self, interactions: Interactions) -> Self:
        """What ``refit`` gives, to the bit, at the cost of what changed since: events that came and those that went.

        Only the rows of items that a user took whose own row is no longer the same are computed anew, and those that
        held an item which nobody takes any more. A model without user rows is refitted whole.
        """
        need_interactions(interactions)
        if not self.updatable:
            return self.refit(interactions)
        return copy(self)._advance(Taken.of(interactions, self.instant_, self.half_life_))

    def update(self, interactions: Interactions) -> Self:
        """Add later interactions: the rows of all items of their users are computed anew, no others.

        Equals ``refit`` on all interactions together, to the bit. Popularity, the instant that ages count from and
        the spectral factors stay what the last ``fit`` made them; a full fit renews them on its own schedule.

        Raises:
            EngineError: If the model was fitted with ``updatable=False``.
        """
        if not self.updatable:
            raise EngineError("this item_cf keeps no user rows; fit it with updatable=True to update it")
        if len(interactions) == 0:
            return self
        return self._advance(self._taken().plus(Taken.of(interactions, self.instant_, self.half_life_)))

    def _advance(self, taken: Taken) -> Self:
        """Make the rows those of what is taken now; frozen parts stay."""
        places = codes_of(taken.item_ids, self.item_ids_)
        similarity = self._similarity().over(taken, places)
        kept = (places >= 0) & ~self._stale(taken, places)
        fresh = np.ones(taken.item_ids.size, dtype=bool)
        fresh[places[kept]] = False
        touched = np.flatnonzero(fresh)
        stay = self._rows_over(places, kept, taken.item_ids.size)
        come = similarity.rows(taken, touched, self.n_targets_)
        order = np.argsort(np.concatenate([places[kept], touched]))
        rows = sparse.csr_matrix(sparse.vstack([stay, come], format="csr")[order])
        return self._keep(taken, similarity, rows)

    def _stale(self, taken: Taken, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """The items of before whose rows are no longer right, shape (n_items before,)."""
        stale = codes_of(self._taken().touched(taken), self.item_ids_) >= 0
        lost = (places < 0)[self.targets_]
        stale[np.repeat(np.arange(stale.size), np.diff(self.starts_))[lost]] = True
        return stale

    def _taken(self) -> Taken:
        shape = (self.user_ids_.size, self.item_ids_.size)
        weights = sparse.csr_matrix((self.row_weights_, self.row_items_, self.row_starts_), shape=shape)
        return Taken(self.user_ids_, self.item_ids_, weights)

    def _similarity(self) -> Similarity:
        term = SpectralTerm(self.levels_.astype(np.float32), self.level_sources_, self.level_targets_)
        return Similarity(
            self.activity_,
            self.source_exponent_,
            self.target_exponent_,
            self.popularity_,
            term if self.levels_.size else None,
            self.min_support,
        )

    def _rows_over(self, places: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], n_items: int) -> sparse.csr_matrix:
        """The kept rows of before, their targets at the places that these have among more items."""
        sizes = np.diff(self.starts_)[kept]
        cells = ranges(self.starts_[:-1][kept], sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        columns = places[self.targets_[cells]].astype(np.int32)
        return sparse.csr_matrix((self.similarities_[cells], columns, starts), shape=(sizes.size, n_items))

    def _keep(self, taken: Taken, similarity: Similarity, rows: sparse.csr_matrix) -> Self:
        term = similarity.spectral or SpectralTerm.none()
        kept = taken if self.updatable else taken.without_rows()
        self.item_ids_ = taken.item_ids
        self.starts_ = rows.indptr.astype(np.int64)
        self.targets_ = rows.indices.astype(np.int32, copy=False)
        self.similarities_ = rows.data.astype(np.float32, copy=False)
        self.popularity_ = similarity.popularity
        self.levels_ = term.levels.astype(np.int16)
        self.level_sources_ = term.sources.astype(np.float32)
        self.level_targets_ = term.targets.astype(np.float32)
        self.user_ids_ = kept.user_ids
        self.row_starts_ = kept.weights.indptr.astype(np.int64)
        self.row_items_ = kept.weights.indices.astype(np.int32, copy=False)  # which may be mapped from a file
        self.row_weights_ = kept.weights.data
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        n_items = self.item_ids_.size
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), n_items if wanted is None else wanted.size), np.nan, np.float32)
        size = max(1, BLOCK_CELLS // n_items)
        for start in range(0, len(histories), size):
            bags = bags_of(histories[start : start + size], self.item_ids_, self.history_half_life_, at)
            targets, points, owners = self._cells(bags)
            cells = bags.owners[owners] * n_items + targets
            totals = np.bincount(cells, points, minlength=len(bags) * n_items).reshape(len(bags), n_items)
            known = np.flatnonzero(np.diff(bags.starts))
            if wanted is None:
                scores[start + known] = totals[known]
            else:
                scores[start + known] = np.where(wanted >= 0, totals[known][:, wanted], np.nan)
        return scores

    def best(
        self,
        histories: Sequence[History],
        n: int,
        *,
        exclude_seen: bool,
        allowed: npt.NDArray[np.bool_] | None,
        at: float | None,
    ) -> list[List]:
        """As ``Lister`` says, by a sparse product: the sums are those of ``score`` to the bit."""
        size = self.item_ids_.size
        similarities = sparse.csr_matrix(
            (self.similarities_.astype(np.float64), self.targets_, self.starts_.astype(np.int32)), shape=(size, size)
        )
        lists = []
        for start in range(0, len(histories), BLOCK):
            block = histories[start : start + BLOCK]
            bags = bags_of(block, self.item_ids_, self.history_half_life_, at)
            shares = sparse.csr_matrix((self._shares(bags), bags.places, bags.starts), shape=(len(bags), size))
            closed = closed_cells(block, self.item_ids_, exclude_seen=exclude_seen, allowed=allowed)
            closed[np.diff(bags.starts) == 0] = True  # of a history without a known item there is no opinion
            lists += best_of_rows(shares @ similarities, closed, n)
        return lists

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        wanted = codes_of(self.item_ids_, items)
        bags = bags_of([history], self.item_ids_, self.history_half_life_, at)
        targets, terms, owners = self._cells(bags)
        rows = rows_of(self.item_ids_.size, wanted)[targets]
        hits = np.flatnonzero(rows >= 0)
        points = np.zeros((wanted.size, bags.places.size))
        points[rows[hits], owners[hits]] = terms[hits]
        return [Terms("history_item", points, self.name, self.item_ids_[bags.places])]

    def _cells(self, bags: Bags) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """All terms of all targets: target places, points, and which entry of the bags each comes from."""
        shares = self._shares(bags)
        sizes = self.starts_[bags.places + 1] - self.starts_[bags.places]
        owners = np.repeat(np.arange(bags.places.size), sizes)
        cells = ranges(self.starts_[bags.places], sizes)
        return self.targets_[cells], self.similarities_[cells] * shares[owners], owners

    def _shares(self, bags: Bags) -> npt.NDArray[np.float64]:
        """What each entry counts: by the root of its weight, as in training; those of a history sum to 1."""
        roots = np.sqrt(bags.weights)
        return np.asarray(roots / bags.totals(roots)[bags.owners])


def _best_rows(
    taken: Taken, similarity: Similarity, n_best: int, progress: Progress | None = None
) -> sparse.csr_matrix:
    """Every item's best targets by those who took it, in memory."""
    return similarity.rows(taken, np.arange(taken.item_ids.size), n_best, progress)
