"""From a ranked list to recommendations: the largest terms of each score, and one remainder for the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History
from reco_engine.recommenders.base import Recommender
from reco_engine.types import Ids, ItemId, Reason, Recommendation, Terms

REASONS = 5


def explained(
    model: Recommender, history: History, items: Sequence[ItemId], *, at: float | None = None, most: int = REASONS
) -> tuple[Recommendation, ...]:
    """The items as recommendations with at most ``most`` reasons each, and a remainder that keeps the sum.

    Terms of one kind and evidence that come from several parts are one reason. Only terms above zero are
    told; what speaks against an item is in the remainder.
    """
    table = merged(model.terms(history, items, at=at), len(items))
    points = np.hstack([term.points for term in table]) if table else np.zeros((len(items), 0))
    owners = [(term, column) for term in table if term.kind != "remainder" for column in range(term.points.shape[1])]
    best = _largest(points[:, : len(owners)], most)
    return tuple(_recommendation(item, row, points[row], best[row], owners) for row, item in enumerate(items))


def merged(terms: Sequence[Terms], n_items: int) -> list[Terms]:
    """One table of points for each kind with evidence and one without, equal evidence added; remainders come last."""
    kinds = sorted({term.kind for term in terms}, key=lambda kind: (kind == "remainder", kind))
    tables = []
    for kind in kinds:
        own = [term for term in terms if term.kind == kind]
        for told in ([term for term in own if term.evidence is not None], [t for t in own if t.evidence is None]):
            if told:
                tables.append(_merged(told, n_items))
    return tables


def _merged(terms: Sequence[Terms], n_items: int) -> Terms:
    """Terms of one kind, all with evidence or all without, as one table."""
    first = terms[0]
    if len(terms) == 1 and _rises(first.evidence):
        return first
    counts = [term.shoppers for term in terms if term.shoppers is not None]
    shoppers = np.max(counts, axis=0) if counts else None
    points = np.hstack([term.points for term in terms])
    if first.evidence is None:
        return Terms(first.kind, points.sum(axis=1, keepdims=True), first.source, shoppers=shoppers)
    evidence, columns = np.unique(np.concatenate([term.evidence for term in terms]), return_inverse=True)
    added, start = np.zeros((n_items, evidence.size)), 0
    for term in terms:
        own = columns[start : start + term.points.shape[1]]
        start += own.size
        if _rises(term.evidence):  # each item once: a sum of columns, which is many times faster
            added[:, own] += term.points
        else:
            np.add.at(added.T, own, term.points.T)
    return Terms(first.kind, added, first.source, evidence, shoppers)


def _rises(evidence: Ids | None) -> bool:
    """Whether it is in order and names each item once."""
    return evidence is not None and bool(np.all(evidence[1:] > evidence[:-1]))


def _largest(points: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.int64]:
    """Columns of each row's largest points, largest first, ties by column, shape (n_items, at most ``most``)."""
    if points.shape[1] <= most:
        return np.argsort(-points, axis=1, kind="stable")
    columns = np.sort(np.argpartition(-points, most - 1, axis=1)[:, :most], axis=1)
    kept = np.take_along_axis(points, columns, axis=1)
    least = kept.min(axis=1, keepdims=True, initial=np.inf)
    tied = (np.count_nonzero(points == least, axis=1) > np.count_nonzero(kept == least, axis=1)) & (least[:, 0] > 0)
    columns[tied] = np.sort(np.argsort(-points[tied], axis=1, kind="stable")[:, :most], axis=1)
    order = np.argsort(-np.take_along_axis(points, columns, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(columns, order, axis=1), dtype=np.int64)


def _recommendation(
    item: ItemId,
    row: int,
    points: npt.NDArray[np.float64],
    best: npt.NDArray[np.int64],
    owners: Sequence[tuple[Terms, int]],
) -> Recommendation:
    score = math.fsum(points.tolist())
    reasons = []
    for column in best.tolist():
        term, own = owners[column]
        if points[column] <= 0:
            continue
        evidence = () if term.evidence is None else (term.evidence[own].item(),)
        shoppers = 0 if term.shoppers is None else int(term.shoppers[row])
        reasons.append(Reason(term.kind, float(points[column]), evidence, shoppers, term.source))
    rest = math.fsum([score, *(-reason.points for reason in reasons)])
    if abs(rest) > 1e-9 * max(abs(score), 1e-300):
        reasons.append(Reason("remainder", rest))
    return Recommendation(item, math.fsum(reason.points for reason in reasons), tuple(reasons))
