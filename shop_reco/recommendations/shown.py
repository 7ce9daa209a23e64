"""How a list showed a product: where, for which foremost reason, and by which recommender most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .models import Slate

DISPUTABLE = tuple(kind for kind in Slate.ReasonKind if kind not in (Slate.ReasonKind.REMAINDER, Slate.ReasonKind.RULE))
"""Kinds of reasons that say something a shopper may find wrong."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Empty where it is not known."""

    placement: str = ""
    rank: int | None = None
    reason: str = ""
    recommender: str = ""

    def columns(self) -> dict[str, Any]:
        return asdict(self)


def foremost(reasons: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """The disputable kind with the most points, and the recommender with the most; empty where there is none."""
    kinds: dict[str, float] = defaultdict(float)
    sources: dict[str, float] = defaultdict(float)
    for reason in reasons:
        if reason["kind"] in DISPUTABLE:
            kinds[reason["kind"]] += reason["points"]
        if reason.get("source"):
            sources[reason["source"]] += reason["points"]
    return _most(kinds), _most(sources)


def _most(points: Mapping[str, float]) -> str:
    return max(sorted(points), key=lambda name: points[name]) if points else ""


def shown_in(slate: Slate | None, item: int) -> Shown:
    """How ``slate`` showed a product, by primary key."""
    for rank, each in enumerate(slate.items if slate else (), start=len(slate.earlier) + 1 if slate else 1):
        if each["product"] == item:
            reason, recommender = foremost(each["reasons"])
            return Shown(slate.placement if slate else "", rank, reason, recommender)
    return Shown()
