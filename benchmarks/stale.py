"""A shop's addresses in a process that serves what it knew some seconds ago: what the probes have to find out.

Only for the controls of ``read_your_writes``: BENCH_STALE says of what.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from shop_reco.recommendations.serving import asking, lists
from shop_reco.recommendations.serving import memory as kept

from .serving_floor import urlpatterns

SECONDS = 5.0
__all__ = ["urlpatterns"]


def late(work: Callable[..., Any], key: str = "") -> Callable[..., Any]:
    """The same function, its answers up to SECONDS old; ``key`` names the argument that they depend on."""
    known: dict[str, tuple[float, Any]] = {}

    def told(**given: Any) -> Any:
        name = str(given.get(key))
        if name not in known or known[name][0] < time.monotonic() - SECONDS:
            known[name] = (time.monotonic(), work(**given))
        return known[name][1]

    return told


def all_shown(work: Callable[..., dict[int, Any]]) -> Callable[..., dict[int, Any]]:
    """The final look at the rows, which lets everything pass."""

    def told(**given: Any) -> dict[int, Any]:
        rows = work(**given)
        for row in rows.values():
            row.shown = True
        return rows

    return told


if os.environ["BENCH_STALE"] == "history":
    asking.live_history = late(asking.live_history, "shopper_ids")
    asking.bought_products = late(asking.bought_products, "shopper_ids")
else:
    kept.revisions = late(kept.revisions)
    lists.final_rows = all_shown(lists.final_rows)
