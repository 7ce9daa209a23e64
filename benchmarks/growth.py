"""A shop that grows on PostgreSQL: ``python -m benchmarks.growth``, JSON out. The data are made up, seeded.

200,000 shoppers, 100,000 products, and at 100,000, 1 and 10 million events: imported from Parquet by the command that
shops use, learnt by the product's own trainings, asked for lists over HTTP beside a bare query of the same products.
``per_doubling`` says by what each figure is multiplied when the log doubles. ``plans`` has the statements of one list
that read a table of many rows from end to end. ``--sizes 100000,1000000`` stops earlier.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, free_port, kill

from .machine import device, tell
from .scale import write_interactions
from .serving_clients import Asker, asked_in_turn

SHOPPERS, PRODUCTS = 200_000, 100_000
KINDS = ("popularity", "item_cf", "user_cf", "content")
ASKED = 200
TYPES, SHARES = ("view_item", "add_to_cart", "purchase"), (0.7, 0.1, 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,1000000,10000000", help="events, comma separated, rising")
    parser.add_argument("--shoppers", type=int, default=SHOPPERS)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server; default: what answers")
    options = parser.parse_args()
    server = options.database or postgresql.server()
    if not server:
        sys.exit("no PostgreSQL answers; TEST_DATABASE_URL may name one")
    sizes = list(map(int, options.sizes.split(",")))
    report: dict[str, Any] = {"device": device(), "shoppers": options.shoppers, "products": options.products}
    with tempfile.TemporaryDirectory() as folder:
        shop = GrowingShop(Path(folder), server, options)
        try:
            for before, size in itertools.pairwise([0, *sizes]):
                report[str(size)] = shop.grown(before, size)
                tell(f"{size} events: {json.dumps(report[str(size)])}")
        finally:
            shop.end()
    report["per_doubling"] = per_doubling({size: report[str(size)] for size in sizes})
    print(json.dumps(report, indent=1))


class GrowingShop(LiveShop):
    def __init__(self, folder: Path, server: str, options: argparse.Namespace) -> None:
        more = {"FAULTS_PRODUCTS": "1", "FAULTS_SHOPPERS": "1", "FAULTS_EVENTS_EACH": "1"}
        super().__init__(folder, server=server, DJANGO_SETTINGS_MODULE="benchmarks.growth_settings", **more)
        self.options = options
        self._write_products()
        self.made = self._made(max(map(int, options.sizes.split(","))))
        tell("products")
        self.run("manage.py", "import_products", str(folder / "products.parquet"), seconds=3600)

    def grown(self, before: int, size: int) -> dict[str, Any]:
        """Import what is missing to ``size``, train, serve.

        Raises:
            AssertionError: If an event is missing afterwards.
        """
        path = self.folder / f"events-{size}.parquet"
        self._write_events(path, before, size)
        tell(f"importing {size - before} events")
        consent = ("--consent", "personalisation,training", "--source", "benchmark")
        imported = timed(self, "import_events", str(path), *consent)
        path.unlink()
        (stored,) = self.rows("select count(*) from reco_events_event")[0]
        assert stored >= size, f"{size} events were imported, {stored} are stored"
        self._execute("analyze")
        told = self.run("-m", "benchmarks.growth_inside", "--train", ",".join(KINDS), seconds=7200)
        inside = json.loads(told.splitlines()[-1])
        return {
            "import": {**imported, "events_per_s": round((size - before) / imported["seconds"])},
            "training": inside["training"], "plans": inside["plans"], "serving": self._served(),
            "database_mb": self.rows("select pg_database_size(current_database())")[0][0] // 2**20,
        }  # fmt: skip

    def _served(self) -> dict[str, Any]:
        port = free_port()
        web = self.serve(port)
        try:
            chance = np.random.default_rng(3)
            people = [f"u{n}" for n in chance.integers(0, self.options.shoppers, ASKED)]
            return asked_in_turn(Asker(port, self.key), people, ASKED)
        finally:
            kill(web)

    def _execute(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(sql)

    def _write_products(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        n, chance = self.options.products, np.random.default_rng(1)
        shelf = chance.integers(0, 400, n)
        words = ["".join(chance.choice(list("abcdefghiklmnoprstu"), 6)) for _ in range(3000)]
        columns = {
            "sku": [f"i{k}" for k in range(n)],
            "title": [" ".join(words[k] for k in some) for some in chance.integers(0, 3000, (n, 3))],
            "category": [f"Floor {k // 20} > Shelf {k}" for k in shelf],
            "brand": [f"Brand {k}" for k in chance.integers(0, 2000, n)],
            "price": [f"{price:.2f}" for price in chance.lognormal(2.0, 1.0, n)],
        }
        parquet.write_table(pa.table(columns), self.folder / "products.parquet")

    def _made(self, n: int) -> tuple[Any, ...]:
        """Shopper, item and time of each event of the whole log, in no order: each part is of the same shop."""
        path = self.folder / "made.npz"
        write_interactions(path, users=min(self.options.shoppers, n), items=self.options.products, interactions=n)
        order = np.random.default_rng(2).permutation(n)
        with np.load(path) as arrays:
            users, items, times = (arrays[name][order] for name in ("users", "items", "times"))
        path.unlink()
        return users, items, times - times.max() + int(time.time()) - 3600

    def _write_events(self, path: Path, before: int, size: int) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        users, items, times = (each[before:size] for each in self.made)
        kinds = np.random.default_rng(size).choice(TYPES, size - before, p=SHARES)
        shopper, sku = (pa.array([f"{letter}{k}" for k in each]) for letter, each in (("u", users), ("i", items)))
        moments = pa.array(times.astype("datetime64[s]").astype("datetime64[us]"), pa.timestamp("us", tz="UTC"))
        table = pa.table({"shopper": shopper, "type": pa.array(kinds), "sku": sku, "occurred_at": moments})
        parquet.write_table(table, path)


def timed(shop: LiveShop, *arguments: str) -> dict[str, float]:
    """Seconds and peak MB of a management command in a process of its own."""
    code = (  # not getrusage: that counts what the process was before it became this one, the benchmark with its arrays
        "import json, pathlib, re, sys, time; from django.core.management import execute_from_command_line as run; "
        "began = time.monotonic(); run(['manage.py', *sys.argv[1:]]); seconds = time.monotonic() - began; "
        "most = re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1]; "
        "print(json.dumps([seconds, int(most) / 1024]))"
    )
    seconds, peak = json.loads(shop.run("-c", code, *arguments, seconds=4 * 3600).splitlines()[-1])
    return {"seconds": round(seconds, 1), "peak_mb": round(peak)}


def per_doubling(found: dict[int, dict[str, Any]]) -> dict[str, list[float]]:
    """By what each figure is multiplied when the log doubles, between each size and the next."""
    figures: dict[str, dict[int, float]] = {}
    for size, told in found.items():
        for name, value in flat(told):
            figures.setdefault(name, {})[size] = value
    kept = re.compile(r"import\.(seconds|peak_mb)|training\.\w+\.(clock_s|peak_mb)|serving\.ms\.p\d+|database_mb")
    return {
        name: [
            round((values[after] / values[before]) ** (1 / math.log2(after / before)), 2)
            for before, after in itertools.pairwise(values)
        ]
        for name, values in figures.items()
        if kept.fullmatch(name) and len(values) > 1 and all(value > 0 for value in values.values())
    }


def flat(told: dict[str, Any], before: str = "") -> list[tuple[str, float]]:
    found = []
    for name, value in told.items():
        if isinstance(value, dict):
            found += flat(value, f"{before}{name}.")
        elif isinstance(value, int | float):
            found.append((before + name, float(value)))
    return found


if __name__ == "__main__":
    main()
