"""What goes wrong, done to real processes: ``python -m benchmarks.faults --rounds 50``, JSON out, status 1 on a loss.

Each row of the report is one kind of fault, on SQLite, and on PostgreSQL where TEST_DATABASE_URL or the local port
answers. ``--only kill,sqlite`` runs what is named.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults import postgresql

from .fault_kill import kill_web
from .machine import device, tell

STORAGES = ("sqlite", "postgresql")
ROWS: dict[str, Callable[..., dict[str, Any]]] = {"kill": kill_web}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="times that the fault strikes")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="comma separated: rows and storages")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    if unknown := only - {*STORAGES, *ROWS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join((*STORAGES, *ROWS))}")
    report: dict[str, Any] = {"device": device()}
    for name, row in ROWS.items():
        if not only & set(ROWS) or name in only:
            report[name] = {}
            for storage in STORAGES:
                if not only & set(STORAGES) or storage in only:
                    tell(f"{name} on {storage}")
                    report[name][storage] = struck(row, storage, options)
    print(json.dumps(report, indent=1))
    if any("failed" in found for name in ROWS for found in report.get(name, {}).values()):
        sys.exit(1)


def struck(row: Callable[..., dict[str, Any]], storage: str, options: argparse.Namespace) -> dict[str, Any]:
    server = postgresql.server() if storage == "postgresql" else ""
    if storage == "postgresql" and not server:
        return {"not run": "no PostgreSQL answers; TEST_DATABASE_URL may name one"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            return row(Path(folder), server, events=options.events, rounds=options.rounds, seed=options.seed)
        except AssertionError as error:
            return {"failed": str(error)}


if __name__ == "__main__":
    main()
