"""How good one list was, seen from what was taken after it; ``list_metrics`` measures many at once.

All are binary: an item was taken or not. NaN when nothing is relevant, since no list could be right.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence

import numpy as np


def ndcg_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """Binary NDCG of the first ``k``; the ideal list has min(k, relevant) hits. NaN when nothing is relevant.

    Source:
        Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.
    """
    if not relevant:
        return float("nan")
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    hits = np.fromiter((item in relevant for item in ranked[:k]), dtype=bool, count=min(k, len(ranked)))
    return float(discounts[: hits.size][hits].sum() / discounts[: min(k, len(relevant))].sum())


def recall_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """Share of the relevant items among the first ``k``. NaN when nothing is relevant."""
    if not relevant:
        return float("nan")
    return sum(item in relevant for item in ranked[:k]) / len(relevant)


def precision_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """Share of ``k`` places that hold a relevant item; a shorter list leaves places empty."""
    return sum(item in relevant for item in ranked[:k]) / k if relevant else math.nan


def hit_rate_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """1 when a relevant item is among the first ``k``, else 0."""
    return float(any(item in relevant for item in ranked[:k])) if relevant else math.nan


def mrr_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """One over the rank of the first relevant item, 0 when none is among the first ``k``."""
    if not relevant:
        return math.nan
    return next((1.0 / rank for rank, item in enumerate(ranked[:k], start=1) if item in relevant), 0.0)


def map_at(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int = 10) -> float:
    """Mean over all relevant items of the precision at their rank, 0 for those beyond ``k`` (trec_eval's map_cut)."""
    if not relevant:
        return math.nan
    hits, total = 0, 0.0
    for rank, item in enumerate(ranked[:k], start=1):
        if item in relevant:
            hits += 1
            total += hits / rank
    return total / len(relevant)
