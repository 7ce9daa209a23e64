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
    owners = [(term, column) for term in table for column in range(term.points.shape[1])]
    best = _largest(points, most)
    return tuple(_recommendation(item, row, points[row], best[row], owners) for row, item in enumerate(items))


def merged(terms: Sequence[Terms], n_items: int) -> list[Terms]:
    """One table of points for each kind, columns of the same evidence added; remainders come last."""
    kinds = sorted({term.kind for term in terms}, key=lambda kind: (kind == "remainder", kind))
    return [_merged([term for term in terms if term.kind == kind], n_items) for kind in kinds]


def _merged(terms: Sequence[Terms], n_items: int) -> Terms:
    first = terms[0]
    if len(terms) == 1:
        return first
    pieces = [term.evidence for term in terms if term.evidence is not None]
    shoppers = next((term.shoppers for term in terms if term.shoppers is not None), None)
    if not pieces:
        return Terms(first.kind, np.sum([term.points for term in terms], axis=0), first.source, shoppers=shoppers)
    evidence: Ids = np.unique(np.concatenate(pieces))
    points = np.zeros((n_items, evidence.size))
    for term in terms:
        if term.evidence is not None:
            points[:, np.searchsorted(evidence, term.evidence)] += term.points
    return Terms(first.kind, points, first.source, evidence, shoppers)


def _largest(points: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.int64]:
    """Columns of each row's largest points, largest first, shape (n_items, at most ``most``)."""
    if points.shape[1] > most:
        columns = np.argpartition(-points, most - 1, axis=1)[:, :most]
    else:
        columns = np.tile(np.arange(points.shape[1]), (points.shape[0], 1))
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
        if term.kind == "remainder" or points[column] <= 0:
            continue
        evidence = () if term.evidence is None else (term.evidence[own].item(),)
        shoppers = 0 if term.shoppers is None else int(term.shoppers[row])
        reasons.append(Reason(term.kind, float(points[column]), evidence, shoppers, term.source))
    rest = math.fsum([score, *(-reason.points for reason in reasons)])
    if abs(rest) > 1e-9 * max(abs(score), 1e-300):
        reasons.append(Reason("remainder", rest))
    return Recommendation(item, math.fsum(reason.points for reason in reasons), tuple(reasons))
