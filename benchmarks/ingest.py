"""Events taken over HTTP: ``python -m benchmarks.ingest``, JSON out.

A shop of its own in a temporary folder, its web process served by granian as in production, real clients on
loopback with the API key of a server. Each figure stands beside the floor measured just before it, on the same
storage: Django's ``bulk_create`` of the same rows, a hundred a transaction. ``ratio`` is the one over the other.
On SQLite, and on PostgreSQL where TEST_DATABASE_URL or the local port answers.

``--only sqlite,batch_100`` measures what is named; ``--grown 5000000`` measures batches of 100 again with so many
events in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, free_port, kill

from .ingest_clients import Traffic
from .machine import device, tell

SHOPPERS, CLIENTS, SHARE = 2000, 8, 0.6
STORAGES = ("sqlite", "postgresql")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each figure and of each floor")
    parser.add_argument("--only", default="", help="comma separated: storages and figures")
    parser.add_argument("--grown", type=int, default=0, help="events planted before the last figure; 0: leave it out")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    known = {*STORAGES, *FIGURES, "grown", "files"}
    if unknown := only - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    storages = [name for name in STORAGES if not only & set(STORAGES) or name in only]
    figures = [name for name in FIGURES if not only - set(STORAGES) or name in only]
    report: dict[str, Any] = {"device": device(), "clients": "loopback, keep-alive", "web": "1 process, 4 threads"}
    for storage in storages:
        server = postgresql.server() if storage == "postgresql" else ""
        if storage == "postgresql" and not server:
            report[storage] = {"not measured": "no PostgreSQL answers; TEST_DATABASE_URL may name one"}
            continue
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
            report[storage] = Measured(Path(folder), server, options).all(figures)
    if find_spec("benchmarks.ingest_files") and (not only or "files" in only):
        from .ingest_files import files

        report["files"] = files(options)
    print(json.dumps(report, indent=1))


class Measured:
    """A shop on one storage, and the figures taken of it."""

    def __init__(self, folder: Path, server: str, options: argparse.Namespace) -> None:
        self.options = options
        environment = {"FAULTS_DEBUG": "0", "FAULTS_SHOPPERS": str(SHOPPERS), "FAULTS_EVENTS_EACH": "1"}
        self.shop = LiveShop(folder, server=server, **environment)
        self.port = free_port()

    def all(self, figures: list[str]) -> dict[str, Any]:
        try:
            found = {name: self.figure(name) for name in figures}
            if self.options.grown:
                found["grown"] = self.grown()
        finally:
            self.shop.end()
        if {"batch_100", "repeats_50"} <= set(found):
            found["repeats_50"]["of_no_repeats"] = round(
                found["repeats_50"]["received_per_s"] / found["batch_100"]["received_per_s"], 2
            )
        return found

    def figure(self, name: str) -> dict[str, Any]:
        floor = self.floor("--empty")
        web = self.shop.serve(self.port)
        try:
            found = FIGURES[name](self)
        finally:
            kill(web)
        found |= {"floor_per_s": floor, "ratio": round(found["received_per_s"] / floor, 3)}
        tell(f"  {name}: {found}")
        return found

    def floor(self, *arguments: str) -> int:
        """Rows a second of Django's bulk_create, a hundred a transaction; the log is empty afterwards."""
        told = self.shop.run("-m", "benchmarks.ingest_floor", "--seconds", str(self.options.seconds), *arguments)
        return int(json.loads(told.splitlines()[-1])["rows_per_s"])

    def traffic(self, **more: Any) -> dict[str, Any]:
        """Send for a while, then find every acknowledged event in the database."""
        traffic = Traffic(self.port, self.shop.key, SHOPPERS, seconds=self.options.seconds, **more)
        found = traffic.run()
        table = "reco_events_event"
        stored = {str(event_id).replace("-", "") for (event_id,) in self.shop.rows(f"select id from {table}")}
        lost = traffic.acknowledged - stored
        assert not lost, f"{len(lost)} events were acknowledged and are not stored"
        return {**found, "acknowledged": len(traffic.acknowledged), "lost": 0}

    def grown(self) -> dict[str, Any]:
        """Batches of 100 with an empty log and with a long one, the floor of the empty log beside both."""
        floor = self.floor("--empty")
        found: dict[str, Any] = {"events": self.options.grown, "floor_per_s": floor}
        for name in ("empty", "grown"):
            if name == "grown":
                self.shop.run("-m", "benchmarks.ingest_floor", "--plant", str(self.options.grown), seconds=3600)
            web = self.shop.serve(self.port)
            try:
                traffic = Traffic(self.port, self.shop.key, SHOPPERS, seconds=self.options.seconds, batch=100)
                found[name] = traffic.run()
            finally:
                kill(web)
        found["of_empty"] = round(found["grown"]["received_per_s"] / found["empty"]["received_per_s"], 2)
        return found


def eight_clients(measured: Measured) -> dict[str, Any]:
    """Eight clients that together send 60% of what one client at full speed gets through, just measured."""
    capacity = measured.traffic(batch=100)["received_per_s"]
    found = measured.traffic(batch=100, clients=CLIENTS, per_second=SHARE * capacity)
    return {"capacity_per_s": capacity, **found}


FIGURES = {
    "batch_100": lambda measured: measured.traffic(batch=100),
    "batch_20": lambda measured: measured.traffic(batch=20),
    "batch_1": lambda measured: measured.traffic(batch=1),
    "repeats_50": lambda measured: measured.traffic(batch=100, repeats=0.5),
    "clients_8": eight_clients,
}


if __name__ == "__main__":
    main()
