"""What the shop's own rules mean for the products on the shelf."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shop_reco.products.filters import categories_below, minor_units

from ..models import Rule
from .shelf import Keys, Mask, Shelf


def in_force(rules: Iterable[Rule], *, placement: str, now: dt.datetime) -> tuple[Rule, ...]:
    """Rules of one placement, and of all of them, that count at a moment."""
    return tuple(
        rule
        for rule in rules
        if rule.placement_id in (None, placement)
        and (rule.starts_at is None or rule.starts_at <= now)
        and (rule.ends_at is None or now < rule.ends_at)
    )


@dataclass(frozen=True, eq=False)
class Ruled:
    """What some rules say of the products of a shelf.

    Attributes:
        points: Added to each product's score, shape (n_products,); None where nothing is.
        hidden: Shape (n_products,); None where nothing is.
        pins: Products by the rank that they are pinned to, from 1; each once.
        untold: Kinds of reasons that are not told to anybody, by product, in the engine's words.
    """

    ids: Keys = field(default_factory=lambda: np.empty(0, np.int64))
    points: npt.NDArray[np.float64] | None = None
    hidden: Mask | None = None
    pins: dict[int, int] = field(default_factory=dict)
    untold: dict[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Rule], shelf: Shelf) -> Ruled:
        """One query where a rule is about a category."""
        points, hidden, pins = np.zeros(shelf.ids.size), np.zeros(shelf.ids.size, dtype=bool), dict[int, int]()
        untold: dict[int, frozenset[str]] = {}
        for rule in rules:
            if rule.action == Rule.Action.PIN:
                pins[rule.rank or 1] = rule.item  # type: ignore[attr-defined]
            elif rule.action == Rule.Action.HIDE:
                hidden |= targets(rule, shelf)
            elif rule.action == Rule.Action.SILENCE:
                item: int = rule.item  # type: ignore[attr-defined]
                untold[item] = untold.get(item, frozenset()) | {rule.reason.lower()}
            else:
                points[targets(rule, shelf)] += rule.points
        firsts = {product: rank for rank, product in sorted(pins.items(), reverse=True)}
        return cls(
            shelf.ids,
            points if points.any() else None,
            hidden if hidden.any() else None,
            {rank: product for product, rank in sorted(firsts.items(), key=lambda pair: pair[1])},
            untold,
        )

    def points_of(self, product: int) -> float:
        if self.points is None:
            return 0.0
        place = int(np.searchsorted(self.ids, product))
        return float(self.points[place]) if place < self.ids.size and self.ids[place] == product else 0.0


def targets(rule: Rule, shelf: Shelf) -> Mask:
    """Which products a rule is about, shape (n_products,)."""
    if rule.product_id is not None:
        return shelf.among([rule.item])  # type: ignore[attr-defined]
    if rule.category is not None:
        return shelf.in_categories(categories_below(paths=[rule.category.path]))
    if rule.brand_id is not None:
        return shelf.of_brands([rule.brand_id])
    if rule.tag:
        return shelf.among(shelf.tags.of_name(rule.tag))
    low, high = rule.price_min, rule.price_max
    return shelf.priced(
        None if low is None else minor_units(low, up=True), None if high is None else minor_units(high, up=False)
    )
