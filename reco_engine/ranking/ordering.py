"""One recommender's list for each history: what may be shown, best first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History
from reco_engine.recommenders.base import Lister, Recommender, best_places, places_of
from reco_engine.types import Ranking, Scores

MANY = 16
"""Histories from which a batch has a way of its own."""
BLOCK_CELLS = 2**22
"""Scores held at a time: bounds memory, and keeps a block in the processor's cache where the catalogue is small."""


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
    if len(histories) >= MANY and isinstance(model, Lister):
        lists = model.best(histories, n, exclude_seen=exclude_seen, allowed=allowed, at=at)
        return [_ranking(model, places, scores) for places, scores in lists]
    block = max(1, BLOCK_CELLS // max(model.item_ids.size, 1))
    rankings: list[Ranking] = []
    for start in range(0, len(histories), block):
        rankings += _ranked(model, histories[start : start + block], n, exclude_seen, allowed, at)
    return rankings


def _ranked(
    model: Recommender,
    histories: Sequence[History],
    n: int,
    exclude_seen: bool,
    allowed: npt.NDArray[np.bool_] | None,
    at: float | None,
) -> list[Ranking]:
    scores = model.score(histories, at=at)
    if allowed is not None:
        scores[:, ~allowed] = np.nan
    rankings = []
    for row, history in zip(scores, histories, strict=True):
        if exclude_seen:
            row[places_of(history, model.item_ids)] = np.nan
        places = best_places(row, n)
        rankings.append(_ranking(model, places, row[places]))
    return rankings


def _ranking(model: Recommender, places: npt.NDArray[np.int64], scores: Scores) -> Ranking:
    return Ranking(tuple(model.item_ids[places].tolist()), tuple(scores.tolist()))
