"""How good a list was, seen from what was bought after it."""

from __future__ import annotations

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
