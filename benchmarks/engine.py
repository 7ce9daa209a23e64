"""The engine against its peers: ``python -m benchmarks.engine``, one JSON document out.

Quality (Recall@20, NDCG@20) on public splits, time and memory to fit, latency, and Complete Journey by time. Peers
are optional (``pip install -r requirements-bench.txt``); one that is missing, or fails, is reported as such.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.engine_fit import costs, fits, one_fit
from benchmarks.engine_journey import journey
from benchmarks.engine_latency import latency
from benchmarks.engine_quality import quality
from benchmarks.machine import device, in_child, tell, tried
from benchmarks.public_data import SETS

PARTS = ("quality", "fit", "latency", "completejourney")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--only", default=",".join(PARTS), help="comma separated parts (default: all)")
    parser.add_argument("--sets", default=",".join(SETS), help="comma separated data sets (default: all)")
    parser.add_argument("--users", type=int, help="measure so many users only (default: all)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of the fits (default 5)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        job = json.load(sys.stdin)
        report = one_fit(job) if job["work"] == "fit" else latency(job)
    else:
        report = whole(options)
    print(json.dumps(report, indent=1))


def whole(options: argparse.Namespace) -> dict[str, Any]:
    wanted, folder = options.only.split(","), options.data
    report: dict[str, Any] = {"device": device()}
    for name in options.sets.split(","):
        found: dict[str, Any] = {}
        if "quality" in wanted:
            measured = tried(name, lambda name=name: quality(folder, name, options.users))  # type: ignore[misc]
            report.setdefault("quality", {})[name] = measured
            found = _settings(measured)
        if "fit" in wanted:
            told = tried(name, lambda name=name: fits(folder, name, options.repeats))  # type: ignore[misc]
            told["costs"] = tried(name, lambda name=name: costs(folder, name, options.users))  # type: ignore[misc]
            report.setdefault("fit", {})[name] = told
        if "latency" in wanted:
            tell(f"latency: {name}")
            job = {"work": "latency", "folder": str(folder), "data": name, "users": options.users, "settings": found}
            report.setdefault("latency", {})[name] = in_child("benchmarks.engine", job, one_thread=True)
    if "completejourney" in wanted:
        report["completejourney"] = journey(options.users)
    return report


def _settings(measured: dict[str, Any]) -> dict[str, Any]:
    """What the searches found, by recommender."""
    figures = measured.get("figures", {})
    names = {"item_cf": "item_cf, found", "user_cf": "user_cf, found"}
    return {name: figures[each]["settings"] for name, each in names.items() if "settings" in figures.get(each, {})}


if __name__ == "__main__":
    main()
