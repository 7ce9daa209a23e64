"""Does a slate keep its promises: each reason a term of the score and backed, nothing shown that may not be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History, codes_of
from reco_engine.ranking.eligibility import eligible
from reco_engine.recommenders.base import Recommender, reasons_of
from reco_engine.types import ItemId, Items, Reason, ReasonKind, Recommendation

from .counterfactual import HISTORY_KINDS

FindingKind = Literal[
    "not_finite",  # a score or points that are no number
    "sum",  # points do not add up to the score
    "score",  # the model gives another score now
    "points",  # the model gives a term other points now, or does not know it
    "evidence",  # the shopper never did what a reason says
    "own_evidence",  # an item is recommended because of itself
    "order",  # below an item of a lower score
    "ineligible",  # not allowed, excluded, or seen
    "unknown",  # an item of which the model has no opinion
    "duplicate",  # listed twice
]
OUTSIDE: frozenset[ReasonKind] = frozenset({"rule", "pinned"})
"""Kinds of terms that the shop adds to the model's."""

RELATIVE = 1e-6
FLOAT32 = 1e-5
"""Scores come as float32: sums of terms that cancel each other agree relative to the terms' sizes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: which, of which item, and what was expected."""

    kind: FindingKind
    item_id: ItemId
    message: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was found in a slate of ``n_items``; clean when nothing was."""

    n_items: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        return not self.findings

    @property
    def counts(self) -> dict[FindingKind, int]:
        """Findings by kind."""
        return dict(Counter(finding.kind for finding in self.findings))


def audit(
    slate: Sequence[Recommendation],
    model: Recommender,
    history: History,
    *,
    at: float | None = None,
    allowed: npt.NDArray[np.bool_] | None = None,
    exclude: Items = (),
    exclude_seen: bool = True,
    placed: Collection[ItemId] = (),
) -> AuditReport:
    """Check a slate against the model, history and instant that it was made from.

    Args:
        slate: Best first.
        model: A recommender or hybrid, with the parts that took part.
        at: The slate's instant, as it was served with.
        allowed, exclude, exclude_seen: What may be listed, as for ``recommend``.
        placed: Items whose place says nothing of their score: pinned, diversified, explored.
    """
    outside = [*exclude, *history.items] if exclude_seen else list(exclude)
    may = eligible(model.item_ids, allowed=allowed, exclude=outside)
    findings = [
        *_places(slate, frozenset(placed)),
        *_eligibility(slate, model, may),
        *_against_model(slate, model, history, at),
    ]
    for each in slate:
        findings.extend(_arithmetic(each))
        findings.extend(_evidence(each, model, history))
    return AuditReport(len(slate), tuple(findings))


def _places(slate: Sequence[Recommendation], placed: frozenset[ItemId]) -> Iterator[Finding]:
    """Nothing twice, and those that the score placed in its order."""
    seen: set[ItemId] = set()
    least = math.inf
    for each in slate:
        if each.item_id in seen:
            yield Finding("duplicate", each.item_id, "is listed more than once")
        seen.add(each.item_id)
        if each.item_id in placed:
            continue
        if each.score > least + RELATIVE * abs(least):
            yield Finding("order", each.item_id, f"has score {each.score!r}, below an item of {least!r}")
        least = min(least, each.score)


def _eligibility(slate: Sequence[Recommendation], model: Recommender, may: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    for each, place in zip(slate, codes_of(model.item_ids, [each.item_id for each in slate]), strict=True):
        if place >= 0 and not may[place]:
            yield Finding("ineligible", each.item_id, "is not allowed, excluded or seen")


def _arithmetic(each: Recommendation) -> Iterator[Finding]:
    """Finite numbers that add up."""
    if not all(math.isfinite(value) for value in (each.score, *(reason.points for reason in each.reasons))):
        yield Finding("not_finite", each.item_id, "has a score or points that are NaN or infinite")
        return
    total = math.fsum(reason.points for reason in each.reasons)
    if not math.isclose(total, each.score, rel_tol=RELATIVE, abs_tol=1e-9):
        yield Finding("sum", each.item_id, f"has reasons that sum to {total!r}, and score {each.score!r}")


def _evidence(each: Recommendation, model: Recommender, history: History) -> Iterator[Finding]:
    """What is said of the shopper happened, and says something of the item."""
    own = set(model.item_ids[[code for code in codes_of(model.item_ids, history.items) if code >= 0]].tolist())
    for reason in each.reasons:
        if reason.kind in HISTORY_KINDS:
            for item in reason.evidence:
                if item not in own:
                    yield Finding("evidence", each.item_id, f"is said to come from {item!r}, not in the history")
        if reason.kind != "repeat" and each.item_id in reason.evidence:
            yield Finding("own_evidence", each.item_id, f"is its own evidence in a reason of kind {reason.kind}")


def _against_model(
    slate: Sequence[Recommendation], model: Recommender, history: History, at: float | None
) -> Iterator[Finding]:
    """The score, and each term that is told, as the model gives them now; the remainder follows from the sum."""
    items = list(dict.fromkeys(each.item_id for each in slate))
    if not items:
        return
    terms = model.terms(history, items, at=at)
    scores = model.score([history], items=items, at=at)[0].astype(np.float64).tolist()
    rows = {item: row for row, item in enumerate(items)}
    for each in slate:
        row = rows[each.item_id]
        score = scores[row]
        known = {(reason.kind, reason.evidence): reason.points for reason in reasons_of(terms, row)}
        shop = math.fsum(reason.points for reason in each.reasons if reason.kind in OUTSIDE)
        size = math.fsum(abs(points) for points in known.values())
        if math.isnan(score):
            if not _only_outside(each.reasons):
                yield Finding("unknown", each.item_id, "is listed, and the model has no opinion of it")
        elif not math.isclose(score, each.score - shop, rel_tol=FLOAT32, abs_tol=FLOAT32 * size + 1e-9):
            yield Finding("score", each.item_id, f"has {each.score - shop!r} of the model, which gives {score!r} now")
        for reason in each.reasons:
            if reason.kind in OUTSIDE or reason.kind == "remainder":
                continue
            points = known.get((reason.kind, reason.evidence), 0.0)
            if not math.isclose(points, reason.points, rel_tol=RELATIVE, abs_tol=1e-9):
                yield Finding("points", each.item_id, f"has {reason.points!r} of {_named(reason)}, now {points!r}")


def _only_outside(reasons: Sequence[Reason]) -> bool:
    """Whether the shop alone put it there."""
    return bool(reasons) and all(reason.kind in OUTSIDE for reason in reasons)


def _named(reason: Reason) -> str:
    return f"{reason.kind} {list(reason.evidence)!r}" if reason.evidence else reason.kind
