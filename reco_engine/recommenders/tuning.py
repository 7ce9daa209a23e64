"""Choosing settings that were left open, on a split of the training data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from reco_engine.data.interactions import History, codes_of
from reco_engine.data.metrics import ndcg_at
from reco_engine.data.splits import Case
from reco_engine.types import Ids, Items, Scores

from .base import best_places

Settings = dict[str, float]


class Scorer(Protocol):
    """As much of a recommender as a measure needs."""

    @property
    def item_ids(self) -> Ids: ...

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores: ...


def searched(
    measure: Callable[[Settings], float], start: Mapping[str, float], grid: Mapping[str, Sequence[float]]
) -> Settings:
    """The best settings found by going along one at a time, from ``start``, until no step helps.

    Each point is measured once; the work is bounded by two rounds over ``grid``.
    """
    known: dict[tuple[float, ...], float] = {}

    def value(settings: Settings) -> float:
        key = tuple(settings.values())
        if key not in known:
            known[key] = measure(settings)
        return known[key]

    best = dict(start)
    for _ in range(2):
        before = dict(best)
        for name, choices in grid.items():
            best = max(({**best, name: choice} for choice in (best[name], *choices)), key=value)
        if best == before:
            break
    return best


def discovery(model: Scorer, cases: Sequence[Case], *, at: float | None, k: int = 20) -> float:
    """Mean NDCG@k of what was new to each case, everything the model knows ranked."""
    return float(np.mean([ndcg_at(_new_items(model, case, at, k), case.new, k) for case in cases]))


def _new_items(model: Scorer, case: Case, at: float | None, k: int) -> list[object]:
    row = model.score([case.history], at=at)[0].astype(np.float64)
    ids: Ids = model.item_ids
    seen = codes_of(ids, case.history.items)
    row[seen[seen >= 0]] = np.nan
    return list(ids[best_places(row, k)].tolist())
