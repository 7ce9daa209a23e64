"""Lists over HTTP: ``python -m benchmarks.serving``, JSON out.

One web process behind granian, as in production; one client that asks for ``recommendations(first: 20)`` with
reasons, and in between for the floor, a bare strawberry query of the same products by the same process. Made-up
shops of some sizes, each with as many shoppers as products, planted and trained once in ``var/bench-serving`` (an
hour for all four; a second run uses them again). Shoppers with 100, 1,000 and 10,000 events ask; the aims are at the
end of the report.

``--sizes 1000,10000`` takes some; ``--database URL`` names a PostgreSQL server in place of SQLite; ``--journey`` asks
the demo's shop of real data instead.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.live_shop import free_port, kill

from .machine import device, tell
from .serving_clients import Asker, asked_in_turn, per_second, processor_ms
from .serving_memory import memory_of_a_second
from .serving_shop import COHORTS, BenchShop, workers_of

SIZES = (1000, 10_000, 100_000, 1_000_000)
CLIENTS = 4
TRAINED_WITH = 1000
"""Events of the shoppers who ask while a training goes on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="products, and shoppers, comma separated")
    parser.add_argument("--requests", type=int, default=300, help="lists of each figure")
    parser.add_argument("--seconds", type=float, default=10.0, help="of asking as fast as it goes")
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server")
    parser.add_argument("--journey", action="store_true", help="the demo's shop with all of the real data")
    parser.add_argument("--slice", action="store_true", help="the demo's slice of it")
    parser.add_argument("--port", type=int, default=8765, help="of the demo's shop")
    options = parser.parse_args()
    if options.journey or options.slice:
        from .serving_journey import journey

        print(json.dumps(journey(options), indent=1))
        return
    storage = "postgresql" if options.database else "sqlite"
    report: dict[str, Any] = {
        "device": device(), "storage": storage, "web": "1 process, 4 threads", "clients": "loopback, keep-alive"
    }  # fmt: skip
    for size in map(int, options.sizes.split(",")):
        tell(f"{size} products")
        began = time.perf_counter()
        shop = BenchShop(Path("var/bench-serving") / f"{storage}-{size}", size, server=options.database)
        tell(f"  planted in {time.perf_counter() - began:.0f} s")
        report[str(size)] = measured(shop, options) | {"whole_s": round(time.perf_counter() - began)}
        tell(f"  {json.dumps(report[str(size)])}")
    report["aims"] = list(aims(report))
    print(json.dumps(report, indent=1))


def measured(shop: BenchShop, options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"kinds": shop.kinds, "fit_s": shop.fits, "others_busy": others_busy()}
    people = {size: [f"h{size}-{k}" for k in range(n)] for size, n in COHORTS.items()}
    port = free_port()
    try:
        first = shop.serve(port)
        asker = Asker(port, shop.key)
        for size, names in people.items():
            found[f"events_{size}"] = asked_in_turn(asker, names, options.requests)
            found[f"events_{size}"]["processor_ms"] = processor_ms(asker, names, options.requests, workers_of(first))
            tell(f"  {size} events: {found[f'events_{size}']['ms']}, floor {found[f'events_{size}']['floor_ms']}")
        everyone = [name for names in people.values() for name in names]
        found["lists_per_s"] = per_second(port, shop.key, everyone, clients=CLIENTS, seconds=options.seconds)
        found["second_process"] = memory_of_a_second(shop, first, port, everyone)
        found["while_training"] = while_training(shop, port, people[TRAINED_WITH], options.requests)
        kill(first)
    finally:
        shop.end()
    return found | {"load_average": [round(each, 1) for each in os.getloadavg()]}


def while_training(shop: BenchShop, port: int, shoppers: list[str], requests: int) -> dict[str, Any]:
    """Milliseconds with a worker in the midst of a training, and at rest before and after it."""
    before = asked_in_turn(Asker(port, shop.key), shoppers, requests // 2)
    worker = shop.train_on_the_side()
    busy = asked_in_turn(Asker(port, shop.key), shoppers, requests)
    shop.end_training(worker)
    after = asked_in_turn(Asker(port, shop.key), shoppers, requests // 2)
    rest = {name: (before["ms"][name] + after["ms"][name]) / 2 for name in ("p50", "p95")}
    return {
        "ms": busy["ms"],
        "of_rest": {name: round(busy["ms"][name] / rest[name], 2) for name in rest},
        "floor_of_rest": round(2 * busy["floor_ms"]["p50"] / (before["floor_ms"]["p50"] + after["floor_ms"]["p50"]), 2),
    }


def others_busy(seconds: float = 2.0) -> float:
    """Share of the machine that others take while nothing of this benchmark runs; 0 where it cannot be told."""
    try:
        first = _ticks()
        time.sleep(seconds)
        idle, whole = (after - before for before, after in zip(first, _ticks(), strict=True))
    except OSError:
        return 0.0
    return round(1.0 - idle / max(whole, 1), 2)


def _ticks() -> tuple[int, int]:
    line = Path("/proc/stat").read_text().splitlines()[0]
    ticks = [int(each) for each in line.split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def aims(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is aimed at, and the worst of what was found."""
    for size, most in ((100_000, 20.0), (1_000_000, 60.0)):
        if (found := report.get(str(size))) is not None:
            worst = max(found[f"events_{events}"]["ms"]["p95"] for events in COHORTS)
            yield _aim(f"{size} products, p95 in ms", worst, most)
    if (found := report.get("100000")) is not None:
        worst = max(found[f"events_{events}"]["of_floor"]["p50"] for events in COHORTS)
        yield _aim("100000 products, p50 of the floor's", worst, 4.0)
    for size in SIZES:
        if (found := report.get(str(size))) is not None:
            yield _aim(f"{size} products, MB of a second process", found["second_process"]["second"]["private_mb"], 150)
            of_rest = found["while_training"]["of_rest"]["p50"]
            yield _aim(f"{size} products, p50 while training of that at rest", of_rest, 1.5)


def _aim(what: str, found: float, most: float) -> dict[str, Any]:
    return {"what": what, "found": found, "aim": f"< {most:g}", "met": found < most}


if __name__ == "__main__":
    main()
