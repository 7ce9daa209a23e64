"""What staff and shoppers wish a list to hold: rules of the shop, and what a shopper pinned or blocked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from reco_engine.data.interactions import History
from reco_engine.types import Reason, Recommendation
from shop_reco.conf import reco_settings
from shop_reco.portraits.reading import edited_products
from shop_reco.products.models import Product

from ..models import Rule
from ..selectors import rules_for


@dataclass
class Wishes:
    """Points by product, of the shop's rules and of the shopper's pins; what is hidden; pinned products by rank.

    ``unused`` is what the shopper hid from their portrait: it may be listed, and no list follows from it.
    """

    boosts: dict[int, float] = field(default_factory=dict)
    favourites: dict[int, float] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    pins: dict[int, int] = field(default_factory=dict)
    unused: set[int] = field(default_factory=set)

    def followed(self, history: History) -> History:
        """The history without what the shopper hid."""
        if not self.unused:
            return history
        kept = [place for place, item in enumerate(history.items) if item not in self.unused]
        times, weights = history.timestamps, history.weights
        return History(
            [history.items[place] for place in kept],
            None if times is None else [times[place] for place in kept],
            None if weights is None else [weights[place] for place in kept],
            segment=history.segment,
        )

    def points(self) -> dict[int, float]:
        """What is added to each product's score."""
        total = defaultdict(float, self.boosts)
        for product, points in self.favourites.items():
            total[product] += points
        return dict(total)

    def explained(self, ranked: Sequence[Recommendation]) -> tuple[Recommendation, ...]:
        """The same items with the wishes' points as reasons of their own, best first."""
        changed = []
        for each in ranked:
            wished = [
                Reason(kind, points[each.item_id])  # type: ignore[index, arg-type]
                for kind, points in (("rule", self.boosts), ("pinned", self.favourites))
                if points.get(each.item_id)  # type: ignore[call-overload]
            ]
            if wished:
                reasons = (*each.reasons, *wished)
                each = Recommendation(each.item_id, math.fsum(reason.points for reason in reasons), reasons)
            changed.append(each)
        return (
            tuple(sorted(changed, key=lambda each: -each.score)) if self.boosts or self.favourites else tuple(changed)
        )


def wishes_for(*, placement: str, shopper_ids: Collection[int]) -> Wishes:
    """Everything that is wished of one placement's list for one shopper; two queries where nothing is."""
    wishes = Wishes()
    for rule in rules_for(placement=placement):
        if rule.action == Rule.Action.PIN:
            wishes.pins[rule.rank or 1] = rule.product_id or 0
        elif rule.action == Rule.Action.HIDE:
            wishes.hidden |= _targets(rule)
        else:
            for product in _targets(rule):
                wishes.boosts[product] = wishes.boosts.get(product, 0.0) + rule.points
    if shopper_ids:
        edited = edited_products(shopper_ids=shopper_ids)
        wishes.hidden |= edited.blocked
        wishes.favourites = dict.fromkeys(edited.pinned, reco_settings().PINNED_POINTS)
        wishes.unused = edited.hidden
    return wishes


def _targets(rule: Rule) -> set[int]:
    """Products that a rule is about."""
    if rule.product_id is not None:
        return {rule.product_id}
    about = {"category": rule.category_id} if rule.category_id is not None else {"brand": rule.brand_id}
    return set(Product.objects.filter(**about).values_list("pk", flat=True))
