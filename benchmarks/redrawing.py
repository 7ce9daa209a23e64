"""How fast portraits with news are drawn: ``python -m benchmarks.redrawing``, JSON out.

A shop of 500 shoppers with 20 events each, on SQLite and, where one answers, on PostgreSQL. All portraits are drawn
anew by turns a few in one transaction, as the worker does, and each in one of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop

from .machine import device, tell

SERVICES = "__import__('shop_reco.portraits.services', fromlist=['services'])"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shoppers", type=int, default=500)
    parser.add_argument("--events-each", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, object] = {"device": device(), **vars(options)}
    for storage, server in (("sqlite", ""), ("postgresql", postgresql.server())):
        if server or storage == "sqlite":
            tell(f"drawing on {storage}")
            found[storage] = drawn(server, options)
    print(json.dumps(found, indent=1))


def drawn(server: str, options: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of a portrait, the median of some rounds."""
    sizes = {"FAULTS_SHOPPERS": str(options.shoppers), "FAULTS_EVENTS_EACH": str(options.events_each)}
    with tempfile.TemporaryDirectory() as folder:
        shop = LiveShop(Path(folder), server=server, **sizes)
        try:
            hand = shop.hand()
            together = hand.do(f"{SERVICES}.DRAWN_AT_ONCE")
            took: dict[int, list[float]] = {together: [], 1: []}
            for _ in range(options.rounds + 1):
                for at_once, times in took.items():
                    hand.do(f"setattr({SERVICES}, 'DRAWN_AT_ONCE', {at_once})")
                    began = time.perf_counter()
                    n = hand.do("redraw()")
                    times.append(1000 * (time.perf_counter() - began) / n)
        finally:
            shop.end()
    some, alone = (statistics.median(times[1:]) for times in took.values())  # the first round warms up
    return {
        "at_once": together, "ms_each": round(some, 2), "ms_each_alone": round(alone, 2),
        "ratio": round(some / alone, 2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
