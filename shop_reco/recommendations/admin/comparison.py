"""How a version compared with the live one, as bars with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MEASURE = "ndcg"
MEASURES = {
    "ndcg": "NDCG", "recall": gettext_lazy("recall"), "precision": gettext_lazy("precision"),
    "hit_rate": gettext_lazy("hit rate"), "mrr": "MRR", "map": "MAP", "novelty": gettext_lazy("novelty"),
    "diversity": gettext_lazy("diversity"), "popularity_bias": gettext_lazy("popularity bias"),
    "miscalibration": gettext_lazy("miscalibration"),
}  # fmt: skip
"""What the engine measures of lists, by its name there; abbreviations are the same in every language."""
BESIDE_ACCURACY = ("recall", "novelty", "diversity", "popularity_bias", "miscalibration")
WIDTH = 100.0
NAMES = {
    "discovery": gettext_lazy("New to the shopper"),
    "next_basket": gettext_lazy("Next basket"),
    "new_shoppers": gettext_lazy("New shoppers"),
    "new_products": gettext_lazy("New products"),
}
WHO = {
    "candidate": (gettext_lazy("this version's recipe"), "#2563eb"),
    "live": (gettext_lazy("the live recipe"), "#6b7280"),
    "popularity": (gettext_lazy("what is popular"), "#d97706"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One contestant; ``share``, ``low`` and ``high`` in percent of the chart's width."""

    name: str
    colour: str
    mean: float
    share: float
    low: float
    high: float
    others: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the comparison."""

    name: str
    n_shoppers: int
    bars: tuple[Bar, ...]


def sections_of(gate: Mapping[str, Any]) -> list[Part]:
    """The sections of a stored comparison; none where nothing was compared."""
    sections = gate.get("comparison", {}).get("sections", {})
    found = []
    for key, section in sections.items():
        bars = tuple(_bars(section))
        if bars:
            found.append(Part(str(NAMES.get(key, key)), section["n_shoppers"], bars))
    return found


def _bars(section: Mapping[str, Any]) -> Iterator[Bar]:
    told = {who: section["measured"].get(who, {}).get(MEASURE) for who in WHO}
    known = {who: each for who, each in told.items() if each and each["mean"] is not None}
    most = max((each["high"] or each["mean"] for each in known.values()), default=0.0) or 1.0
    for who, each in known.items():
        low, high = each["low"] or 0.0, each["high"] or each["mean"]
        yield Bar(
            name=str(WHO[who][0]),
            colour=WHO[who][1],
            mean=each["mean"],
            share=round(WIDTH * each["mean"] / most, 1),
            low=round(WIDTH * low / most, 1),
            high=round(WIDTH * high / most, 1),
            others=tuple(_others(section, who)),
        )


def _others(section: Mapping[str, Any], who: str) -> Iterator[tuple[str, float]]:
    """What is measured beside accuracy."""
    for key in BESIDE_ACCURACY:
        value = section["measured"].get(who, {}).get(key, {}).get("mean")
        if value is not None:
            yield str(MEASURES[key]), value
    coverage = section.get("lists", {}).get(who, {}).get("coverage")
    if coverage is not None:
        yield _("coverage"), coverage
