"""Latency of ``recommendations(first: 20)`` over HTTP, one worker: ``python -m benchmarks.serving``, JSON out.

Sets up the shop in a folder of its own with all of the data (``--slice``: the demo's slice), once; a second
run reuses it. One client asks for one household after the other over one connection.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

QUERY = """query { recommendations(first: 20) {
  rung edges { score rank node { id title price currency } reasons { kind points text } } } }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slice", action="store_true", help="the demo's slice instead of all of the data")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
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
        print(json.dumps(measure(folder, options), indent=1))
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


def measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Milliseconds from sending the request to the last byte of the answer, after one round that is not counted."""
    key = (folder / "api-key").read_text()
    with sqlite3.connect(folder / "db.sqlite3") as database:
        sql = "select external_id from reco_users_shopper where external_id is not null order by id limit 200"
        households = [name for (name,) in database.execute(sql)]
    connection = http.client.HTTPConnection("127.0.0.1", options.port)
    times, rungs = [], set()
    for n in range(len(households) + options.requests):
        headers = {
            "Authorization": f"Bearer {key}",
            "X-Shopper": households[n % len(households)],
            "Content-Type": "application/json",
        }
        start = time.perf_counter()
        connection.request("POST", "/graphql/", json.dumps({"query": QUERY}), headers)
        answer = json.loads(connection.getresponse().read())
        if n >= len(households):
            times.append((time.perf_counter() - start) * 1000)
            rungs.add(answer["data"]["recommendations"]["rung"])
    cuts = statistics.quantiles(times, n=100)
    return {
        "data": "slice" if options.slice else "full",
        "requests": len(times),
        "rungs": sorted(rungs),
        "ms": {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)},
    }


if __name__ == "__main__":
    main()
