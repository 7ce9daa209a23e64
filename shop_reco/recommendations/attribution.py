"""Which clicks and purchases a list is credited with, and which recommender earns them. Plain values in and out.

A click is credited to the list that it names, for a product of that list. A purchase is credited to a list in
which the same shopper clicked that product some days before at most. Both count once for a list and product.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

GRAIN = 1024
"""Parts that a credit is split into: sums of 1024ths are exact in any order, so that taking a shopper out of a sum
leaves what it would be without them."""
OWN = {"RULE": "rule", "PINNED": "pinned"}
"""Kinds of reasons that no recommender gives."""
OTHER = "other"
WHOLE = ""
"""The whole list, beside the recommenders."""

GROUPS = 64
"""Random groups of shoppers, for intervals over them."""

Key = tuple[str, str, str]
"""Placement, arm, recommender."""
Counts = dict[Key, list[float]]
"""Lists, lists seen, clicks, purchases."""


@dataclass(frozen=True, slots=True)
class ServedList:
    """A list as attribution needs it; ``shares`` has each recommender's share of each product, and sums to 1."""

    placement: str
    arm: str
    served_at: float  # unix seconds
    shares: Mapping[int, Mapping[str, float]]

    @classmethod
    def of(cls, placement: str, arm: str, served_at: float, items: Sequence[Mapping[str, Any]]) -> ServedList:
        """From the items of a slate."""
        return cls(placement, arm, served_at, {item["product"]: shares_of(item.get("reasons", ())) for item in items})

    def share(self) -> dict[str, float]:
        """Each recommender's share of the list: the mean over its products, which sums to 1."""
        total: dict[str, float] = defaultdict(float)
        for shares in self.shares.values():
            for name, part in shares.items():
                total[name] += part
        return _split(total)


@dataclass
class Answers:
    """What one person did, in any order, and then what each of their lists earned by it: no list is held.

    Attributes:
        days: For how long after a list a click counts, and after a click a purchase.
        counts: What the lists led to, as wholes and by recommender.
    """

    days: float
    counts: Counts = field(default_factory=dict)
    _seen: set[UUID] = field(default_factory=set)
    _clicks: dict[UUID, set[tuple[int, int]]] = field(default_factory=dict)
    _purchases: dict[int, set[int]] = field(default_factory=dict)

    def see(self, slate_id: UUID) -> None:
        self._seen.add(slate_id)

    def click(self, slate_id: UUID, product: int, at: float) -> None:
        """A click at ``at`` (unix seconds) on a product of a list."""
        self._clicks.setdefault(slate_id, set()).add((product, int(at)))

    def buy(self, product: int, at: float) -> None:
        self._purchases.setdefault(product, set()).add(int(at))

    def credit(self, slate_id: UUID, served: ServedList) -> None:
        """Count a list of this person's, once all that they did is told."""
        clicks: dict[int, list[int]] = defaultdict(list)
        for product, at in self._clicks.get(slate_id, ()):
            if product in served.shares and at <= served.served_at + self._limit:
                clicks[product].append(at)
        seen = float(slate_id in self._seen or bool(clicks))  # nobody clicks on what they do not see
        self._add(served, served.share(), [1.0, seen, 0.0, 0.0])
        for product, times in clicks.items():
            purchases = self._purchases.get(product, ())
            bought = any(0 <= at - click <= self._limit for click in times for at in purchases)
            self._add(served, served.shares[product], [0.0, 0.0, 1.0, float(bought)])

    def _add(self, served: ServedList, shares: Mapping[str, float], earned: Sequence[float]) -> None:
        for name, part in {WHOLE: 1.0, **shares}.items():
            row = self.counts.setdefault((served.placement, served.arm, name), [0.0] * len(earned))
            for place, each in enumerate(earned):
                row[place] += part * each

    @property
    def _limit(self) -> float:
        return self.days * 86_400.0


def shares_of(reasons: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """What each recommender adds to one product's score, as shares that sum to 1.

    Points below zero earn nothing. A product without points, or whose reasons name nobody, is nobody's.
    """
    points: dict[str, float] = defaultdict(float)
    for reason in reasons:
        if reason["points"] > 0:
            points[reason.get("source") or OWN.get(reason["kind"], OTHER)] += reason["points"]
    return _split(points)


def _split(amounts: Mapping[str, float]) -> dict[str, float]:
    """Amounts as shares in GRAINths by largest remainder, which sum to exactly 1; all OTHER's where there are none."""
    total = math.fsum(amounts.values())
    if not (total > 0 and math.isfinite(total)):
        return {OTHER: 1.0}
    exact = {name: GRAIN * amounts[name] / total for name in sorted(amounts)}
    parts = {name: math.floor(value) for name, value in exact.items()}
    left = GRAIN - sum(parts.values())
    for name in sorted(exact, key=lambda name: parts[name] - exact[name])[:left]:
        parts[name] += 1
    return {name: part / GRAIN for name, part in parts.items() if part}
