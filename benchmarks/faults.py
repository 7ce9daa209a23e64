"""What goes wrong, done to real processes: ``python -m benchmarks.faults --rounds 50``; JSON, status 1 on a failure.

Each row of the report is one kind of fault, on SQLite, and on PostgreSQL where TEST_DATABASE_URL or the local port
answers; its last part is a table of what passed. ``--only kill,sqlite`` runs what is named.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import postgresql

from .fault_rows import (
    artifacts,
    backup,
    broker,
    clock,
    crowds,
    database,
    disk,
    frozen,
    full_disk,
    ingestion,
    lacks,
    locks,
    meetings,
    migration,
    odd_values,
    poison,
    processes,
    replays,
    rolling,
    strange_shops,
    syncs,
    twins,
    visibility,
)
from .fault_rows.stage import NotRunError
from .machine import device, tell

STORAGES = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Row:
    """One kind of fault: which rows of the matrix it stands for, and what plays it."""

    ids: str
    play: Callable[..., dict[str, Any]]


ROWS = {
    "kill": Row("F1", ingestion.kill_web),
    "processes": Row("F1, F2", processes.killed),
    "promotion": Row("F2, F3", processes.killed_in_promotion),
    "full": Row("F4", full_disk.full_for_events),
    "meetings": Row("F14", meetings.met),
    "hints": Row("F17", meetings.hinted),
    "again": Row("F15", replays.sent_again),
    "shuffled": Row("F16", replays.shuffled),
    "disk": Row("F5", disk.full_disk),
    "artifacts": Row("F8, F21, A32", artifacts.damaged),
    "twins": Row("F6, F7", twins.two_of_each),
    "memory": Row("F23", lacks.too_little_memory),
    "torch": Row("F28", lacks.no_torch),
    "locks": Row("F13", locks.held),
    "broker": Row("F9, F10", broker.away),
    "database": Row("F11", database.restarted),
    "clock": Row("F19", clock.stepped),
    "poison": Row("F18", poison.swallowed),
    "empty": Row("F12", strange_shops.empty),
    "small": Row("F25", strange_shops.nearly_empty),
    "migration": Row("F20", migration.next_release),
    "strangers": Row("F24", strange_shops.strangers),
    "numbers": Row("F26", odd_values.numbers),
    "texts": Row("F27", odd_values.texts),
    "visibility": Row("F22", visibility.withdrawn),
    "frozen": Row("F29", frozen.stopped),
    "rolling": Row("F30", rolling.restarted),
    "backup": Row("F31", backup.restored),
    "syncs": Row("F32", syncs.before_replies),
    "flood": Row("F33", crowds.flooded),
    "storm": Row("F34", crowds.stormed),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="times that the fault strikes")
    parser.add_argument("--events", type=int, default=1_000_000, help="of the row kill")
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
                    report[name][storage] = found = struck(row, storage, options)
                    tell(f"  {_verdict(found)}")
    report["table"] = table({name: report[name] for name in ROWS if name in report})
    print(json.dumps(report, indent=1))
    if any("failed" in found for name in ROWS for found in report.get(name, {}).values()):
        sys.exit(1)


def struck(row: Row, storage: str, options: argparse.Namespace) -> dict[str, Any]:
    server = postgresql.server() if storage == "postgresql" else ""
    if storage == "postgresql" and not server:
        return {"not run": "no PostgreSQL answers; TEST_DATABASE_URL may name one"}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = row.play(Path(folder), server, events=options.events, rounds=options.rounds, seed=options.seed)
        except NotRunError as why:
            return {"not run": str(why)}
        except AssertionError as error:
            return {"failed": str(error)}
        except Exception as error:  # the other rows are played all the same
            tell(traceback.format_exc())
            return {"failed": f"{type(error).__name__}: {error}"}
    return {**found, "seconds": round(time.monotonic() - began)}


def table(report: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """What became of each row on each storage, in a word and why."""
    return [
        {"row": name, "ids": ROWS[name].ids, **{storage: _verdict(found) for storage, found in by_storage.items()}}
        for name, by_storage in report.items()
    ]


def _verdict(found: dict[str, Any]) -> str:
    for word in ("failed", "not run"):
        if word in found:
            return f"{word}: {found[word]}"
    return "passed"


if __name__ == "__main__":
    main()
