"""Item-based collaborative filtering: who took this, also took that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, ItemId, Reason, Scores

from .base import Explainer, Progress, entries_of, need_interactions, ranges

BLOCK = 1024  # source items at a time: bounds memory


@dataclass
class ItemCF:
    """Generalised item-item cosine, cut to the best targets of each source.

    ``s_ij = sum_u n_u^-activity x_ui x_uj / (|x_i|^2a |x_j|^2g)``, where a is ``source_exponent`` and g
    ``target_exponent``: 0.5, 0.5 and activity 0 is the textbook cosine ``a.b / (|a||b|)``.

    Source:
        Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    """

    name: ClassVar[str] = "item_cf"

    activity: float = 0.3
    source_exponent: float = 0.5
    target_exponent: float = 0.3
    n_targets: int = 200
    half_life: float = 180.0  # days, in training
    history_half_life: float = 60.0  # days, of the live history
    min_support: int = 1  # shoppers behind each pair
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
        faded = interactions.weights * half_life_weights(interactions.ages(at), self.half_life)
        matrix = interactions.matrix(faded)
        matrix.data = np.sqrt(matrix.data)  # a tenth purchase says less than the first
        squares = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
        activity = np.maximum(np.diff(matrix.indptr), 1).astype(np.float64) ** -self.activity
        damped = sparse.diags(activity) @ matrix
        target_norms = _power(squares, -self.target_exponent)
        source_norms = _power(squares, -self.source_exponent)
        taken = matrix.copy()
        taken.data = np.ones_like(taken.data)
        columns, taken_columns = matrix.T.tocsr(), taken.T.tocsr()
        rows = []
        for start in range(0, interactions.n_items, BLOCK):
            stop = min(start + BLOCK, interactions.n_items)
            block = (columns[start:stop] @ damped).tocsr()
            if self.min_support > 1:
                block = _supported(block, (taken_columns[start:stop] @ taken).tocsr(), self.min_support)
            block = sparse.diags(source_norms[start:stop]) @ block @ sparse.diags(target_norms)
            rows.append(_best_targets(block.tocsr(), start, self.n_targets))
            if progress is not None:
                progress(stop / interactions.n_items)
        self.item_ids_ = interactions.item_ids
        self.targets_ = np.concatenate([targets for targets, _, _ in rows])
        self.similarities_ = np.concatenate([values for _, values, _ in rows])
        self.starts_ = np.concatenate([[0], np.cumsum(np.concatenate([sizes for _, _, sizes in rows]))])
        return self

    def score(
        self, histories: Sequence[History], items: Sequence[ItemId] | None = None, at: float | None = None
    ) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        scores = np.full((len(histories), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        for row, history in enumerate(histories):
            places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
            if places.size == 0:
                continue
            targets, terms, _ = self._terms(places, weights)
            totals = np.bincount(targets, terms, minlength=self.item_ids_.size)
            if wanted is None:
                scores[row] = totals
            else:
                scores[row] = np.where(wanted >= 0, totals[wanted], np.nan)
        return scores

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        return self.explainer(history, at)(item_id)

    def explainer(self, history: History, at: float | None = None) -> Explainer:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        targets, terms, owners = self._terms(places, weights)
        order = np.lexsort((-terms, targets))
        targets, terms, owners = targets[order], terms[order], owners[order]

        def reasons(item_id: ItemId) -> tuple[Reason, ...]:
            (target,) = codes_of(self.item_ids_, [item_id])
            if target < 0:
                return ()
            return tuple(
                Reason(
                    "history_item",
                    float(terms[hit]),
                    evidence=(self.item_ids_[owners[hit]].item(),),
                    source=self.name,
                )
                for hit in range(np.searchsorted(targets, target), np.searchsorted(targets, target, side="right"))
            )

        return reasons

    def _terms(
        self, places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """All terms of all targets: target places, points, and the history item that each comes from."""
        sizes = self.starts_[places + 1] - self.starts_[places]
        owners = np.repeat(np.arange(places.size), sizes)
        cells = ranges(self.starts_[places], sizes)
        return self.targets_[cells], self.similarities_[cells] * weights[owners], places[owners]


def _power(values: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    return np.where(values > 0, np.maximum(values, 1e-12) ** exponent, 0.0)


def _supported(block: Any, counts: Any, min_support: int) -> Any:
    """Keep the pairs behind which enough distinct shoppers stand."""
    counts.data = (counts.data >= min_support).astype(np.float64)
    return block.multiply(counts).tocsr()


def _best_targets(
    block: Any, start: int, n_targets: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """The best targets of each source in the block, ties by place, an item never its own target."""
    block.sort_indices()
    targets, values, sizes = [], [], []
    for row in range(block.shape[0]):
        cells = slice(block.indptr[row], block.indptr[row + 1])
        indices, data = block.indices[cells], block.data[cells]
        keep = (indices != start + row) & (data > 0)
        indices, data = indices[keep], data[keep]
        if data.size > n_targets:
            best = np.sort(np.lexsort((indices, -data))[:n_targets])
            indices, data = indices[best], data[best]
        targets.append(indices.astype(np.int32))
        values.append(data.astype(np.float32))
        sizes.append(indices.size)
    return np.concatenate(targets), np.concatenate(values), np.asarray(sizes, dtype=np.int64)
