"""The steps from a live history to a list, in order, with the work of scoring and explaining shared."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.recommenders.base import Explainer, Recommender
from reco_engine.recommenders.registry import create
from reco_engine.types import Ids, ItemId, Ranking, Reason, Recommendation, Scores

from .blending import DEFAULT_WEIGHTS, Blend, fit_blend

PROPOSERS = ("item_cf", "user_cf", "content", "popularity")
"""Cheap enough to score everything; the others score candidates only."""

REASONS = 5
"""Reasons of an item; the smaller rest is summed in one remainder."""


def recommend(
    model: Recommender,
    histories: Sequence[History],
    n: int = 10,
    exclude_seen: bool = True,
    allowed: npt.NDArray[np.bool_] | None = None,
    at: float | None = None,
) -> list[Ranking]:
    """The ``n`` best items of one recommender for each history, ties by item order.

    Args:
        allowed: Which of ``model.item_ids`` may be shown, shape (n_items,).
    """
    rankings = []
    for row, history in zip(model.score(histories, at=at), histories, strict=True):
        values = row.astype(np.float64)
        if allowed is not None:
            values[~allowed] = np.nan
        if exclude_seen:
            seen = codes_of(model.item_ids, history.items)
            values[seen[seen >= 0]] = np.nan
        places = best_places(values, n)
        rankings.append(Ranking(tuple(model.item_ids[places].tolist()), tuple(row[places].tolist())))
    return rankings


def best_places(values: npt.NDArray[np.floating], n: int) -> npt.NDArray[np.int64]:
    """Places of the ``n`` highest values, best first, ties by place; NaN is never among them."""
    known = np.flatnonzero(~np.isnan(values))
    if known.size > n > 0:
        threshold = np.partition(values[known], known.size - n)[known.size - n]
        known = known[values[known] >= threshold]
    order = np.lexsort((known, -values[known]))
    return known[order][: max(n, 0)]


@dataclass
class Hybrid:
    """Recommenders and the blend of them: two stages, one additive score, reasons that sum to it."""

    name = "hybrid"

    parts: Mapping[str, Recommender] = field(default_factory=dict)
    blend: Blend = field(default_factory=lambda: Blend.default({}))

    def __post_init__(self) -> None:
        self._align()

    def _align(self) -> None:
        ids = [part.item_ids for part in self.parts.values()]
        self.item_ids: Ids = np.unique(np.concatenate(ids)) if ids else np.empty(0, np.int64)
        self._places = {
            name: (
                None if np.array_equal(part.item_ids, self.item_ids) else np.searchsorted(self.item_ids, part.item_ids)
            )
            for name, part in self.parts.items()
        }

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Fit parts to a cut, the weights on what came after it, and the parts again to the end."""
        names = list(self.parts) or [name for name in DEFAULT_WEIGHTS if catalogue is not None or "content" not in name]
        factories = {name: _factory(self.parts.get(name), name) for name in names}
        self.blend = fit_blend(factories, interactions, catalogue, seed=seed, at=at, progress=progress)
        self.parts = {name: make().fit(interactions, catalogue, seed=seed, at=at) for name, make in factories.items()}
        self._align()
        return self

    def score(
        self, histories: Sequence[History], items: Sequence[ItemId] | None = None, at: float | None = None
    ) -> Scores:
        wanted = self.item_ids.tolist() if items is None else list(items)
        scores = np.full((len(histories), len(wanted)), np.nan, dtype=np.float32)
        for row, history in enumerate(histories):
            factors = self.blend.factors(len(history), self.parts.keys())
            opinions = [self.parts[p].score([history], items=wanted, at=at)[0] * f for p, f in factors.items()]
            if opinions:
                stacked = np.stack(opinions).astype(np.float64)
                total = np.nansum(stacked, axis=0)
                scores[row] = np.where(np.all(np.isnan(stacked), axis=0), np.nan, total)
        return scores

    def explain(self, history: History, item_id: ItemId, at: float | None = None) -> tuple[Reason, ...]:
        factors = self.blend.factors(len(history), self.parts.keys())
        return self._explainer(history, factors, at)(item_id)

    def recommend(
        self,
        history: History,
        n: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
        exclude: Collection[ItemId] = (),
        at: float | None = None,
        enabled: Collection[str] | None = None,
        n_candidates: int = 300,
        only: Collection[str] | None = None,
    ) -> tuple[Recommendation, ...]:
        """The ``n`` best items with their reasons, best first.

        Args:
            allowed: Which of ``item_ids`` may be shown, shape (n_items,); everyone proposes among these.
            exclude: Items that must not be shown to this shopper.
            enabled: Parts switched on; the others contribute nothing and the rest is re-normalised.
            n_candidates: Items worth ranking that each proposer passes on, at least ``n``.
        """
        names = [p for p in self.parts if (enabled is None or p in enabled) and (only is None or p in only)]
        factors = self.blend.factors(len(history), names)
        open_ = np.ones(self.item_ids.size, dtype=bool) if allowed is None else allowed.copy()
        closed = codes_of(self.item_ids, list(exclude))
        open_[closed[closed >= 0]] = False
        total = np.zeros(self.item_ids.size)
        opinion = np.zeros(self.item_ids.size, dtype=bool)
        candidates: list[npt.NDArray[np.int64]] = []
        for name in (p for p in PROPOSERS if p in factors):
            row = self._spread(name, self.parts[name].score([history], at=at)[0] * factors[name])
            said = ~np.isnan(row)
            total[said] += row[said]
            opinion |= said
            row[~open_] = np.nan
            candidates.append(best_places(row, max(n, n_candidates)))
        refiners = [p for p in factors if p not in PROPOSERS]
        if not candidates and refiners:
            candidates.append(np.flatnonzero(open_))
        places = np.unique(np.concatenate(candidates)) if candidates else np.empty(0, np.int64)
        items = self.item_ids[places].tolist()
        for name in refiners if items else ():
            row = self.parts[name].score([history], items=items, at=at)[0] * factors[name]
            said = ~np.isnan(row)
            total[places[said]] += row[said]
            opinion[places[said]] = True
        places = places[opinion[places]]
        order = np.lexsort((places, -total[places]))[:n]
        told = self._explainer(history, factors, at)
        return tuple(_explained(self.item_ids[place].item(), told) for place in places[order])

    def _spread(self, name: str, row: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        places = self._places[name]
        if places is None:
            return row.astype(np.float64)
        whole = np.full(self.item_ids.size, np.nan)
        whole[places] = row
        return whole

    def _explainer(self, history: History, factors: Mapping[str, float], at: float | None) -> Explainer:
        """The parts' reasons times their factors; the same evidence from two parts is one reason."""
        parts = [(factor, self.parts[name].explainer(history, at)) for name, factor in factors.items()]

        def reasons(item_id: ItemId) -> tuple[Reason, ...]:
            points: dict[tuple[object, ...], float] = {}
            first: dict[tuple[object, ...], Reason] = {}
            for factor, explain in parts:
                for reason in explain(item_id):
                    key = (reason.kind, reason.label, reason.evidence)
                    points[key] = points.get(key, 0.0) + factor * reason.points
                    first.setdefault(key, reason)
            return tuple(
                Reason(reason.kind, points[key], reason.label, reason.evidence, reason.source)
                for key, reason in first.items()
            )

        return reasons


def _explained(item_id: Hashable, explain: Explainer) -> Recommendation:
    reasons = fewer(explain(item_id))
    return Recommendation(item_id, math.fsum(reason.points for reason in reasons), reasons)


def fewer(reasons: Sequence[Reason], most: int = REASONS) -> tuple[Reason, ...]:
    """The largest reasons, best first, and one remainder for the rest; the sum stays."""
    told = [reason for reason in reasons if reason.kind != "remainder" and reason.points > 0]
    best = heapq.nlargest(most, told, key=lambda reason: reason.points)
    if len(best) == len(reasons):
        return tuple(best)
    rest = math.fsum([r.points for r in reasons] + [-r.points for r in best])
    if abs(rest) < 1e-12 and best:
        return tuple(best)
    return (*best, Reason("remainder", rest))


def _factory(part: Recommender | None, name: str) -> Callable[[], Recommender]:
    settings = {} if part is None else {k: v for k, v in vars(part).items() if not k.endswith("_")}
    return lambda: create(name, **settings)
