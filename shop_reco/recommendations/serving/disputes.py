"""Reasons that a shopper called wrong are not told of that product again; the score, and the sum, stay."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from reco_engine.types import Reason, Recommendation

from ..selectors import opinions
from ..shown import DISPUTABLE


def disputes(*, shopper_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Kinds of reasons that a shopper disputes, by product, in the engine's words; one query."""
    return by_product(opinions(shopper_ids=shopper_ids).disputed)


def by_product(said: Iterable[tuple[int, Collection[str]]]) -> dict[int, frozenset[str]]:
    """The same of what was read already."""
    disputed: dict[int, frozenset[str]] = {}
    for item, kinds in said:
        disputed[item] = disputed.get(item, frozenset()) | {kind.lower() for kind in kinds or DISPUTABLE}
    return disputed


def with_untold(
    disputed: Mapping[int, frozenset[str]], untold: Mapping[int, frozenset[str]]
) -> dict[int, frozenset[str]]:
    """What is not told of each product: what its shopper disputes, and what the shop has silenced."""
    return {item: disputed.get(item, frozenset()) | untold.get(item, frozenset()) for item in {*disputed, *untold}}


def undisputed(item: Recommendation, disputed: Mapping[int, Collection[str]]) -> Recommendation:
    """The same item with its disputed reasons among the other influences, each recommender's points still its own."""
    kinds = disputed.get(item.item_id, ())  # type: ignore[call-overload]
    if not any(reason.kind in kinds for reason in item.reasons):
        return item
    rest: dict[str, list[float]] = defaultdict(list)
    kept = []
    for reason in item.reasons:
        if reason.kind in kinds or reason.kind == "remainder":
            rest[reason.source].append(reason.points)
        else:
            kept.append(reason)
    untold = [Reason("remainder", math.fsum(points), source=source) for source, points in sorted(rest.items())]
    return Recommendation(item.item_id, item.score, (*kept, *untold))
