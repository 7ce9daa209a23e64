"""A score as a stacked bar: each term as wide as its points, those below zero apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..models import Recommender, Slate
from ..serving import ServedEdge, ServedReason

COLOURS: Mapping[str, str] = {
    "HISTORY_ITEM": "#2563eb",
    "SIMILAR_SHOPPERS": "#059669",
    "FEATURE": "#d97706",
    "POPULAR": "#6b7280",
    "REPEAT": "#7c3aed",
    "RULE": "#db2777",
    "PINNED": "#0891b2",
    "DISLIKE": "#dc2626",
    "REMAINDER": "#a8a29e",
}
BELOW = "#dc2626"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar; ``left`` and ``width`` in percent of the longest bar."""

    name: str
    points: float
    colour: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a score; ``recommender`` is what staff call it, empty where none gave it."""

    text: str
    recommender: str
    points: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One item; ``terms`` are what its score is the sum of, the largest first."""

    edge: ServedEdge
    pieces: tuple[Piece, ...]
    terms: tuple[Term, ...]


def bars_of(edges: Sequence[ServedEdge]) -> list[Bar]:
    """All in one scale: the longest is the one whose terms, whatever their sign, are the most together."""
    sums = [_by_kind(edge.reasons) for edge in edges]
    most = max((sum(map(abs, each.values())) for each in sums), default=0.0) or 1.0
    return [
        Bar(edge, tuple(_pieces(each, most)), tuple(_terms(edge.reasons)))
        for edge, each in zip(edges, sums, strict=True)
    ]


def _terms(reasons: Iterable[ServedReason]) -> Iterable[Term]:
    names = dict(Recommender.Kind.choices)
    for reason in sorted(reasons, key=lambda each: -abs(each.points)):
        yield Term(reason.text, str(names.get(reason.source, reason.source)), reason.points)


def legend(bars: Iterable[Bar]) -> list[tuple[str, str]]:
    """Names and colours of what is in some bar."""
    return list(dict.fromkeys((piece.name, piece.colour) for bar in bars for piece in bar.pieces))


def _by_kind(reasons: Iterable[ServedReason]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for reason in reasons:
        sums[reason.kind] = sums.get(reason.kind, 0.0) + reason.points
    return sums


def _pieces(sums: Mapping[str, float], most: float) -> Iterable[Piece]:
    names, left = dict(Slate.ReasonKind.choices), 0.0
    for kind in sorted(sums, key=lambda kind: (sums[kind] < 0, list(COLOURS).index(kind))):
        width = 100 * abs(sums[kind]) / most
        colour = BELOW if sums[kind] < 0 else COLOURS[kind]
        name = f"{names[kind]} (−)" if sums[kind] < 0 else str(names[kind])
        yield Piece(name, sums[kind], colour, round(left, 2), round(width, 2))
        left += width
