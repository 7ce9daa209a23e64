"""The load that the product must carry on one machine: ``python -m benchmarks.load``, JSON out.

Each row is one of the targets L1 to L14, on SQLite and, where one answers, on PostgreSQL, as a ratio to what the same
machine does in the same run without the load or without the product: absolute times say more of the machine. The mix
of the soak (70% lists, 25% events, 5% the rest) is sent by locust (``pip install -r requirements-bench.txt``).

``--only soak,sqlite`` plays what is named; ``--minutes 2`` shortens the soak, ``--grown 500000`` the long log.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults import postgresql

from .load_rows import cold_start, overload, reading, switch
from .load_shop import LoadShop
from .load_soak import soak
from .machine import device, tell

STORAGES = ("sqlite", "postgresql")
Row = Callable[[Path, str, argparse.Namespace], dict[str, Any]]


def on_shop(play: Callable[..., dict[str, Any]], argument: str = "seconds") -> Row:
    """A row on a shop of its own."""

    def row(folder: Path, server: str, options: argparse.Namespace) -> dict[str, Any]:
        with LoadShop(folder, server) as shop:
            return play(shop, getattr(options, argument))

    return row


def command(*arguments: str, of: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told) -> Row:
    """A row that another benchmark plays."""

    def row(folder: Path, server: str, options: argparse.Namespace) -> dict[str, Any]:
        given = [each.format(storage="postgresql" if server else "sqlite", **vars(options)) for each in arguments]
        done = subprocess.run([sys.executable, "-m", *given], stdout=subprocess.PIPE, text=True, check=True)
        return of(json.loads(done.stdout))

    return row


def of_storage(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(told[name] for name in STORAGES if name in told)
    return found


INGEST = ("benchmarks.ingest", "--only", "{storage},batch_100,batch_20,clients_8,repeats_50", "--seconds", "{seconds}")
GROWN = ("benchmarks.ingest", "--only", "{storage},grown", "--grown", "{grown}", "--seconds", "{seconds}")
ROWS: dict[str, tuple[str, Row]] = {
    "ingest": ("L1, L2, L3, L4, L14", command(*INGEST, of=of_storage)),
    "reading": ("L5", on_shop(reading)),
    "soak": ("L6", on_shop(soak, "minutes")),
    "overload": ("L7", on_shop(overload)),
    "grown": ("L8", command(*GROWN, of=of_storage)),
    "cold_start": ("L9", on_shop(cold_start)),
    "switch": ("L10", on_shop(switch)),
    "worst": ("L11, L12", command("benchmarks.api_worst", "--seconds", "{seconds}")),
    "erase": ("L13", command("benchmarks.privacy")),
}
WITHOUT_STORAGE = ("worst", "erase")
"""Rows that are played once, on SQLite."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma separated: rows and storages")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each figure")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    parser.add_argument("--grown", type=int, default=5_000_000, help="events of the long log")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    if unknown := only - {*STORAGES, *ROWS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join((*STORAGES, *ROWS))}")
    report: dict[str, Any] = {"device": device(), "web": "2 processes, 4 threads each"}
    for name, (ids, row) in ROWS.items():
        if only & set(ROWS) and name not in only:
            continue
        report[name] = {"ids": ids}
        for storage in STORAGES:
            if (not only & set(STORAGES) or storage in only) and not (name in WITHOUT_STORAGE and storage != "sqlite"):
                tell(f"{name} on {storage}")
                report[name][storage] = played(row, storage, options)
                tell(f"  {json.dumps(report[name][storage])}")
    print(json.dumps(report, indent=1))


def played(row: Row, storage: str, options: argparse.Namespace) -> dict[str, Any]:
    server = postgresql.server() if storage == "postgresql" else ""
    if storage == "postgresql" and not server:
        return {"not measured": "no PostgreSQL answers; TEST_DATABASE_URL may name one"}
    if server and postgresql.rows(server, "show autovacuum") == [("off",)]:
        tell("  autovacuum is off: as tables grow, PostgreSQL reads them whole; no figures of a production")
    began, idle = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        try:
            found = row(Path(folder), server, options)
        except Exception as error:  # the other rows are played all the same
            tell(traceback.format_exc())
            return {"failed": f"{type(error).__name__}: {error}"}
    return {**found, "load_average_before": round(idle, 1), "seconds": round(time.monotonic() - began)}


if __name__ == "__main__":
    main()
