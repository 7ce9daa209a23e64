"""Reasons that a shopper called wrong are not told of that product again; the score, and the sum, stay."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping

from reco_engine.types import Reason, Recommendation

from ..models import Feedback
from ..services.feedback import DISPUTABLE


def disputes(*, shopper_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Kinds of reasons that a shopper disputes, by product, in the engine's words; one query."""
    found = Feedback.objects.filter(shopper__in=shopper_ids, kind=Feedback.Kind.WRONG_REASON)
    disputed: dict[int, frozenset[str]] = {}
    for product, parent, kinds in found.values_list("product_id", "product__parent_id", "disputed"):
        item = parent or product
        disputed[item] = disputed.get(item, frozenset()) | {kind.lower() for kind in kinds or DISPUTABLE}
    return disputed


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
