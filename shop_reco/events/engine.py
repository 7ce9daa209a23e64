"""The door between event rows and the engine's arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from reco_engine.data.interactions import History, Interactions
from shop_reco.conf import reco_settings
from shop_reco.users.selectors import account_links

from .selectors import Touch, newest_touches, training_touches


def _kept(touches: Sequence[Touch]) -> list[tuple[Touch, float]]:
    """Weigh touches, leaving out what counts nothing and one purchase for each refund of the same product."""
    weights = reco_settings().EVENT_WEIGHTS
    refunds: dict[tuple[int, int], int] = {}
    for touch in touches:
        if touch.type == "refund":
            key = (touch.shopper_id, touch.product_id)
            refunds[key] = refunds.get(key, 0) + touch.quantity
    kept = []
    for touch in touches:
        weight = weights.get(touch.type, 0.0)
        if touch.type == "purchase" and refunds:
            key = (touch.shopper_id, touch.product_id)
            back = min(refunds.get(key, 0), touch.quantity)
            if back:
                refunds[key] -= back
            if back == touch.quantity:
                continue
        if weight > 0:
            kept.append((touch, weight))
    return kept


def live_history(*, shopper_ids: Sequence[int]) -> History:
    """The newest events of a linked set as the recommenders see them; one query."""
    kept = _kept(newest_touches(shopper_ids=shopper_ids, limit=reco_settings().HISTORY_EVENTS))
    return History(
        [touch.product_id for touch, _ in kept],
        [touch.occurred_at for touch, _ in kept],
        [weight for _, weight in kept],
    )


def training_interactions(*, until: dt.datetime) -> Interactions:
    """All that may be learnt from, visitors counted as the accounts that they turned out to be."""
    links = account_links()
    kept = _kept(list(training_touches(until=until)))
    return Interactions.from_arrays(
        np.fromiter((links.get(t.shopper_id, t.shopper_id) for t, _ in kept), np.int64, len(kept)),
        np.fromiter((t.product_id for t, _ in kept), np.int64, len(kept)),
        np.fromiter((t.occurred_at for t, _ in kept), np.float64, len(kept)),
        np.fromiter((w for _, w in kept), np.float64, len(kept)),
    )
