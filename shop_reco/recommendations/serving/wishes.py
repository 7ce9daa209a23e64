"""What staff and shoppers wish a list to hold: rules of the shop, and what a shopper pinned or blocked."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from reco_engine.data.interactions import History
from reco_engine.types import Reason, Recommendation
from shop_reco.conf import reco_settings
from shop_reco.portraits.reading import Edited

from .rules import Ruled


@dataclass
class Wishes:
    """What the shop's rules say, and points by product of the shopper's pins; what the shopper blocked.

    ``unused`` is what the shopper hid from their portrait: it may be listed, and no list follows from it.
    """

    ruled: Ruled = field(default_factory=Ruled)
    favourites: dict[int, float] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    unused: set[int] = field(default_factory=set)

    def followed(self, history: History) -> History:
        """The history without what the shopper hid."""
        return without(history, self.unused)

    def points_of(self, product: int) -> dict[str, float]:
        """What is added to a product's score, by the kind of its reason."""
        points = {"rule": self.ruled.points_of(product), "pinned": self.favourites.get(product, 0.0)}
        return {kind: each for kind, each in points.items() if each}


def without(history: History, unused: Collection[int]) -> History:
    """The history without some products."""
    if not unused:
        return history
    kept = [place for place, item in enumerate(history.items) if item not in unused]
    times, weights = history.timestamps, history.weights
    return History(
        [history.items[place] for place in kept],
        None if times is None else [times[place] for place in kept],
        None if weights is None else [weights[place] for place in kept],
        segment=history.segment,
    )


def wishes_for(*, ruled: Ruled, edited: Edited) -> Wishes:
    """Everything that is wished of one placement's list for one shopper."""
    favourites = dict.fromkeys(edited.pinned, reco_settings().PINNED_POINTS)
    return Wishes(ruled, favourites, edited.blocked, edited.hidden)


def with_points(
    ranked: Sequence[Recommendation], points: Sequence[dict[str, float]], most: int
) -> list[Recommendation]:
    """The same items with the wishes' points as reasons of their own, and with them ``most`` reasons at most.

    A wish is always told; the smallest other terms make room for it among the other influences.
    """
    return [_with(each, own, most) for each, own in zip(ranked, points, strict=True)]


def _with(item: Recommendation, points: dict[str, float], most: int) -> Recommendation:
    if not points:
        return item
    wished = [Reason(kind, each) for kind, each in points.items()]  # type: ignore[arg-type]
    told = [reason for reason in item.reasons if reason.kind != "remainder"]
    kept = told[: max(most - len(wished), 0)]
    rest = [reason.points for reason in item.reasons if reason not in kept]
    remainder = [Reason("remainder", math.fsum(rest))] if rest else []
    reasons = (*kept, *remainder, *wished)
    return Recommendation(item.item_id, math.fsum(reason.points for reason in reasons), reasons)
