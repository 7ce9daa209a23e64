"""Every list reflects what was acknowledged before: ``python -m benchmarks.read_your_writes``, JSON out.

Eight clients send events and ask for lists by turns, each for shoppers of its own, each request to one of two web
processes; meanwhile staff hide and sell out what is being shown, and bring it back. What must never be seen:

* ``bought_shown``: a product whose purchase was acknowledged before, in a placement that excludes what was bought;
  what is bought here is mostly the first of the shopper's last list, which would be in the next one again;
* ``history_differs``: a list whose record does not rest on exactly the events acknowledged before it, by a digest
  that one event more or less changes;
* ``closed_shown``: a product whose hiding, or selling out, was acknowledged before and that nobody brought back.

The controls run the same against web processes that serve a history, or a catalogue, of some seconds ago: there the
probes have to fire. On SQLite, and on PostgreSQL where one answers; ``--database URL`` names its server.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.faults import postgresql
from tests.faults.live_shop import free_port, kill

from .machine import device, tell
from .read_your_writes_clients import Round
from .serving_shop import BenchShop

PRODUCTS, KINDS = 1000, ("popularity", "item_cf", "user_cf")
CONTROLS = {"history": ("bought_shown", "history_differs"), "catalogue": ("closed_shown",)}
"""What is served stale, and the probes that have to find it out."""
STORAGES = ("sqlite", "postgresql")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000, help="events and lists together")
    parser.add_argument("--control", type=int, default=800, help="the same of each control")
    parser.add_argument("--only", choices=STORAGES)
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server")
    options = parser.parse_args()
    report: dict[str, Any] = {"device": device(), "clients": 8, "web": "2 processes, 4 threads each"}
    for storage in [options.only] if options.only else STORAGES:
        server = (options.database or postgresql.server()) if storage == "postgresql" else ""
        if storage == "postgresql" and not server:
            report[storage] = {"not measured": "no PostgreSQL answers"}
            continue
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
            report[storage] = proved(Path(folder), server, options)
    print(json.dumps(report, indent=1))
    if any(sum(report[storage].get("violations", {}).values()) for storage in STORAGES if storage in report):
        raise SystemExit("a list did not reflect what was acknowledged before")


def proved(folder: Path, server: str, options: argparse.Namespace) -> dict[str, Any]:
    """What the round saw, and the controls.

    Raises:
        AssertionError: If a probe is silent in its control.
    """
    shop = BenchShop(folder, PRODUCTS, server=server, kinds=KINDS)
    try:
        found = one_round(shop, options.requests)
        tell(f"  {found}")
        found["controls"] = {}
        for stale, probes in CONTROLS.items():
            seen = one_round(shop, options.control, stale)["violations"]
            tell(f"  {stale} of some seconds ago: {seen}")
            for probe in probes:
                assert seen[probe] > 0, f"{probe} does not fire where the {stale} is stale: {seen}"
            found["controls"][stale] = seen
        return found
    finally:
        shop.end()
        if server:
            postgresql.drop(shop.database)


def one_round(shop: BenchShop, requests: int, stale: str = "") -> dict[str, Any]:
    """Events and lists by turns at two web processes, which serve what is ``stale`` some seconds late."""
    more = {"BENCH_URLS": "benchmarks.stale", "BENCH_STALE": stale} if stale else {}
    ports, began = [free_port(), free_port()], time.perf_counter()
    webs = [shop.serve(port, **more) for port in ports]
    try:
        asked = Round(ports, shop.key, requests)
        violations = asked.run()
        time.sleep(1.0)  # the last lists get their rows
    finally:
        for web in webs:
            kill(web)
    path = shop.folder / "asked.json"
    path.write_text(json.dumps(asked.record()))
    told = json.loads(shop.run("-m", "benchmarks.read_your_writes_check", str(path), seconds=3600).splitlines()[-1])
    return {
        **asked.counts, "lists_not_recorded": told["not_recorded"],
        "violations": violations | {"history_differs": told["differs"]},
        "seconds": round(time.perf_counter() - began),
    }  # fmt: skip


if __name__ == "__main__":
    main()
