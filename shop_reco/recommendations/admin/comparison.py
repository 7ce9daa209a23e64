"""How a version compared with the live one, as bars with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MEASURE = "ndcg"
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
    names = {
        "recall": _("recall"), "novelty": _("novelty"), "diversity": _("diversity"),
        "popularity_bias": _("popularity bias"), "miscalibration": _("miscalibration"),
    }  # fmt: skip
    for key, name in names.items():
        value = section["measured"].get(who, {}).get(key, {}).get("mean")
        if value is not None:
            yield name, value
    coverage = section.get("lists", {}).get(who, {}).get("coverage")
    if coverage is not None:
        yield _("coverage"), coverage
