"""May this recipe replace that one, and why: the rule that reads a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from reco_engine.data.intervals import Interval
from reco_engine.data.surges import Surge
from reco_engine.ranking import Hybrid

from .comparing import CANDIDATE, CHANCE, LIVE, POPULARITY, Comparison, Section
from .sections import DISCOVERY, NEXT_BASKET

MEASURE = "ndcg"
MARGIN = 0.05
LEAST_SHOPPERS = 200
OF_REPEATS = frozenset({"buy_again"})
"""Kinds that list what a shopper has taken before; the others are judged by what was new."""
Verdict = Literal["promote", "reject", "keep"]
Rule = Literal[
    "surge", "no_lists", "few_shoppers", "not_as_good", "as_good", "first", "below_popularity", "no_better_than_chance"
]


@dataclass(frozen=True)
class Decision:
    """What becomes of a candidate.

    Attributes:
        verdict: ``keep``: the live version stays unless staff decide otherwise.
        rule: The rule that spoke, for whoever words it anew.
        why: A sentence or two.
        figures: What was looked at, plain values: section, measure, k, margin, least_shoppers, n_shoppers, and where
            there are lists the means by contestant and ``relative``: the interval of the difference, as a share of
            the other's mean. Of a surge, ``surges``; of what passed beside a live version, ``worse_in``: sections.
    """

    verdict: Verdict
    rule: Rule
    why: str
    figures: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "rule": self.rule, "why": self.why, "figures": dict(self.figures)}


def primary_section(kind: str) -> str:
    """The section by which a kind is judged: what was new, for those that repeat what was taken at all."""
    return NEXT_BASKET if kind in OF_REPEATS else DISCOVERY


def decide(
    comparison: Comparison,
    *,
    surges: Sequence[Surge] = (),
    margin: float = MARGIN,
    least_shoppers: int = LEAST_SHOPPERS,
) -> Decision:
    """Judge a candidate by the NDCG of its kind's own section.

    Refused: learning from a surge; listing nothing to anyone. Beside a live version: kept waiting with under
    ``least_shoppers`` shoppers to ask, refused where the paired interval's lower bound is under ``-margin`` of the
    live one's mean (so that a difference too uncertain to tell is refused as well), else promoted.

    A first version replaces nothing, so less is asked of it. With too few shoppers it goes live. With enough, it must
    find more, beyond doubt, than its own lists do with other items in them; and the hybrid, which is what shoppers
    see, must not be worse than popularity by the rule above. A part may be: a content recommender is wanted for what
    popularity cannot know.

    Args:
        surges: What ``surges`` found in the interactions to learn from.
        margin: A share of the other's mean, above zero.
        least_shoppers: Who are enough for an interval to say something.
    """
    name = primary_section(comparison.kind)
    section = comparison.sections.get(name)
    asked_for = {"k": comparison.k, "margin": margin, "least_shoppers": least_shoppers}
    figures = {**_figures(name, section), **asked_for}
    if surges:
        why, pushed = " ".join(surge.why for surge in surges), [asdict(surge) for surge in surges]
        return Decision("reject", "surge", why, {**figures, "surges": pushed})
    n_shoppers = 0 if section is None else section.n_shoppers
    if section is not None and not section.lists[CANDIDATE]["listed"] > 0:
        return Decision("reject", "no_lists", f"It lists nothing to any of {n_shoppers:,} shoppers.", figures)
    if section is None or n_shoppers < least_shoppers:
        asked = f"Only {n_shoppers:,} shoppers could be asked, {least_shoppers:,} are needed to tell"
        if comparison.has_live:
            return Decision("keep", "few_shoppers", f"{asked}; the live version stays unless staff decide.", figures)
        return Decision("promote", "first", f"It is the first version. {asked} how good it is.", figures)
    if comparison.has_live:
        return _beside_live(comparison, section, name, figures, margin)
    return _first(comparison, section, name, figures, margin)


def _beside_live(
    comparison: Comparison, section: Section, name: str, figures: Mapping[str, Any], margin: float
) -> Decision:
    told = _told(comparison, section, name, LIVE, "the live version")
    low, high = _relative(section, LIVE)
    if low < -margin:
        how = "it is worse" if high < 0 else f"a loss of more than {margin:.0%} cannot be ruled out"
        return Decision("reject", "not_as_good", f"{told}: {how}.", figures)
    worse = _worse_elsewhere(comparison, name, margin)
    lost = f" It is worse in {' and '.join(each.replace('_', ' ') for each in worse)}." if worse else ""
    return Decision("promote", "as_good", f"{told}: it is as good or better.{lost}", {**figures, "worse_in": worse})


def _first(comparison: Comparison, section: Section, name: str, figures: Mapping[str, Any], margin: float) -> Decision:
    if not section.over[CHANCE][MEASURE].low > 0:
        told = _told(comparison, section, name, CHANCE, "the same lists with other items in them")
        return Decision("reject", "no_better_than_chance", f"{told}: it is not shown to know anything.", figures)
    told = _told(comparison, section, name, POPULARITY, "popularity")
    if comparison.kind == Hybrid.name and _relative(section, POPULARITY)[0] < -margin:
        return Decision("reject", "below_popularity", f"{told}: a loss cannot be ruled out.", figures)
    return Decision("promote", "first", f"It is the first version. {told}.", figures)


def _told(comparison: Comparison, section: Section, name: str, other: str, called: str) -> str:
    ours, theirs = (section.measured[who][MEASURE].mean for who in (CANDIDATE, other))
    low, high = _relative(section, other)
    span = f" ({low:+.1%} to {high:+.1%})" if math.isfinite(low) else ""
    return (
        f"{name.replace('_', ' ').capitalize()}, NDCG@{comparison.k} of {section.n_shoppers:,} shoppers: {ours:.4f}, "
        f"{called} {theirs:.4f}{span}"
    )


def _relative(section: Section, other: str) -> tuple[float, float]:
    """The bounds of the difference as shares of the other's mean; infinite where that is zero and they are not."""
    gain, mean = section.over[other][MEASURE], section.measured[other][MEASURE].mean
    low, high = (_ratio(bound, mean) for bound in (gain.low, gain.high))
    return low, high


def _ratio(value: float, mean: float) -> float:
    if mean > 0 or value == 0:
        return value / mean if mean > 0 else 0.0
    return math.copysign(math.inf, value)


def _worse_elsewhere(comparison: Comparison, primary: str, margin: float) -> list[str]:
    """Other sections in which it is worse beyond doubt: told, and no reason to refuse."""
    return [
        name
        for name, section in comparison.sections.items()
        if name != primary and _relative(section, LIVE)[1] < -margin
    ]


def _figures(name: str, section: Section | None) -> dict[str, Any]:
    if section is None:
        return {"section": name, "measure": MEASURE, "n_shoppers": 0}
    others = [who for who in (LIVE, POPULARITY, CHANCE) if who in section.over]
    return {
        "section": name,
        "measure": MEASURE,
        "n_shoppers": section.n_shoppers,
        "means": {who: section.measured[who][MEASURE].mean for who in (CANDIDATE, *others)},
        "relative": {who: _share(section.over[who][MEASURE], section.measured[who][MEASURE].mean) for who in others},
    }


def _share(gain: Interval, mean: float) -> dict[str, float | None]:
    bounds = {"mean": gain.mean, "low": gain.low, "high": gain.high}
    return {name: value / mean if mean > 0 else None for name, value in bounds.items()}
