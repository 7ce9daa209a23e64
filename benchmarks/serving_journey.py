"""Lists of the demo's shop with the real data, set up once in a folder of its own: ``benchmarks.serving --journey``."""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from .serving_clients import Asker, percentiles

HOUSEHOLDS = "select external_id from reco_users_shopper where external_id is not null order by id limit 200"


def journey(options: argparse.Namespace) -> dict[str, Any]:
    """Percentiles of one household after the other, after one round that is not counted."""
    folder = Path("var") / ("bench-slice" if options.slice else "bench")
    command = [sys.executable, "manage.py", "demo", "--port", str(options.port)]
    shop = subprocess.Popen(
        command if options.slice else [*command, "--full"],
        env={**os.environ, "DEMO_DIR": str(folder.resolve())},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until_ready(shop)
        return {"data": "slice" if options.slice else "full", **measure(folder, options)}
    finally:
        shop.send_signal(signal.SIGTERM)
        shop.wait(20)


def wait_until_ready(shop: subprocess.Popen[str]) -> None:
    assert shop.stdout is not None
    for line in shop.stdout:
        print(line, end="", file=sys.stderr)
        if "stop      Ctrl-C" in line:
            return
    raise SystemExit("the shop did not start")


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    with sqlite3.connect(folder / "db.sqlite3") as database:
        households = [name for (name,) in database.execute(HOUSEHOLDS)]
    asker = Asker(options.port, (folder / "api-key").read_text())
    times, rungs = [], set()
    for n in range(len(households) + options.requests):
        took, found = asker.list_for(households[n % len(households)])
        if n >= len(households):
            times.append(took)
            rungs.add(found["rung"])
    return {"requests": len(times), "rungs": sorted(rungs), "ms": percentiles(times)}
