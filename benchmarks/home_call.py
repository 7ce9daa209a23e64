"""The home page's one call over HTTP: ``python -m benchmarks.home_call``, JSON out.

One web process behind granian, as in production, is asked by turns for ``recommendationsFor`` with three placements
(``home``, ``again`` and ``popular``: 30 products, their reasons and the evidence of each) and for the floor, a bare
strawberry query of the same products by the same process. First by one client, call by call, for the percentiles; then
by some at once, a stretch of each after the other, for what goes through in a second. The shop is that of
``benchmarks.serving``, planted and trained once in ``var/bench-serving``: some minutes the first time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults.live_shop import free_port

from .machine import device, tell
from .serving import CLIENTS, others_busy
from .serving_clients import Asker, per_second, percentiles
from .serving_shop import COUNTED, BenchShop

EVENTS, SHOPPERS = (100, 1000), 20
"""Lengths of the histories of those who ask, and how many of each do."""
STRETCHES = 6
"""Stretches into which the seconds of asking at once are cut, one of the call and one of the floor by turns."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000, help="products, and shoppers")
    parser.add_argument("--seconds", type=float, default=20.0, help="of asking call by call, and as many at once")
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server")
    options = parser.parse_args()
    storage = "postgresql" if options.database else "sqlite"
    kinds = () if find_spec("torch") else COUNTED
    began = time.perf_counter()
    folder = Path("var/bench-serving") / f"{storage}-{options.size}"
    shop = BenchShop(folder, options.size, server=options.database, kinds=kinds)
    tell(f"planted in {time.perf_counter() - began:.0f} s")
    report = {"device": device(), "storage": storage, "products": options.size, "kinds": shop.kinds}
    report |= {"web": "1 process, 4 threads", "others_busy": others_busy()}
    people = [f"h{events}-{k}" for events in EVENTS for k in range(SHOPPERS)]
    port = free_port()
    try:
        shop.serve(port)
        report |= call_by_call(Asker(port, shop.key), people, options.seconds)
        report |= at_once(port, shop.key, people, options.seconds)
    finally:
        shop.end()
    print(json.dumps(report | {"load_average": [round(each, 1) for each in os.getloadavg()]}, indent=1))


def call_by_call(asker: Asker, people: list[str], seconds: float) -> dict[str, Any]:
    """Milliseconds of the call and of the floor by turns, after one round that is not counted."""
    for shopper in people:
        asker.floor_for(products_of(asker.home_for(shopper)[1]))
    calls, floors, evidence = list[float](), list[float](), list[int]()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        took, lists = asker.home_for(people[len(calls) % len(people)])
        floors.append(asker.floor_for(products_of(lists)))
        calls.append(took)
        evidence.append(sum(len(reason["evidence"]) for each in reasons_of(lists) for reason in each))
    call, floor = percentiles(calls), percentiles(floors)
    return {
        "calls": len(calls), "evidence_of_a_call": round(statistics.mean(evidence), 1), "ms": call, "floor_ms": floor,
        "of_floor": {name: round(call[name] / floor[name], 2) for name in ("p50", "p95")},
    }  # fmt: skip


def at_once(port: int, key: str, people: list[str], seconds: float) -> dict[str, Any]:
    """Calls and floors a second of some clients, in stretches by turns."""
    asker = Asker(port, key)
    named = {shopper: products_of(asker.home_for(shopper)[1]) for shopper in people}
    asks = {"call": Asker.home_for, "floor": lambda one, shopper: one.floor_for(named[shopper])}
    rates: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(STRETCHES // 2):
        for name, ask in asks.items():
            stretch = seconds / STRETCHES
            rates[name].append(per_second(port, key, people, clients=CLIENTS, seconds=stretch, ask=ask))
    call, floor = (round(statistics.mean(rates[name]), 1) for name in asks)
    told = {"calls_per_s": call, "floors_per_s": floor, "floors_per_call": round(floor / call, 2)}
    return {"clients": CLIENTS, **told, "stretches": rates}


def products_of(lists: list[dict[str, Any]]) -> list[str]:
    """The ids of a page's products; each of its lists has some."""
    assert [bool(each["edges"]) for each in lists] == [True, True, True], [len(each["edges"]) for each in lists]
    return [edge["node"]["id"] for each in lists for edge in each["edges"]]


def reasons_of(lists: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [edge["reasons"] for each in lists for edge in each["edges"]]


if __name__ == "__main__":
    main()
