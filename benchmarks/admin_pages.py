"""The admin's pages in a large shop: ``python -m benchmarks.admin_pages``, JSON out.

Each list, the dashboard and the pages that compute something: the number of queries, seconds of the first request of a
process and of the best of three more. The shop is planted once in ``var/bench-admin``, with a million events, beside
another with a thousandth of it: a page whose queries grow with the rows is told from one whose do not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .machine import device, tell

FULL, AIM = 1_000_000, 1.0
"""Events, and seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--folder", type=Path, default=Path("var/bench-admin"))
    options = parser.parse_args()
    large = measured(options.folder / str(options.events), options.events)
    small = measured(options.folder / str(options.events // 1000), options.events // 1000)
    pages = {
        name: {**page, "queries_with_a_thousandth": small["pages"][name]["queries"]}
        for name, page in large["pages"].items()
    }
    slow = [name for name, page in pages.items() if max(page["cold_s"], page["warm_s"]) >= AIM]
    report = {
        "device": device(),
        "shop": large["shop"],
        "counting_today_s": large["counting_today_s"],
        "finding_groups_s": large["finding_groups_s"],
        "pages": pages,
        f"{AIM:.0f} s or more": slow,
        "more queries than with a thousandth": [
            name for name, page in pages.items() if page["queries"] > page["queries_with_a_thousandth"]
        ],
    }
    print(json.dumps(report, indent=1))


def measured(folder: Path, n_events: int) -> dict[str, Any]:
    """What the process of one shop tells; it plants the shop where there is none."""
    tell(f"{n_events} events")
    environment = {
        **os.environ,
        "DEMO_DIR": str(folder.resolve()),
        "DJANGO_SETTINGS_MODULE": "benchmarks.serving_settings",
        "BENCH_URLS": "shop_reco.urls",
    }
    for work in ("plant", "measure"):
        command = [sys.executable, "-m", "benchmarks.admin_shop", work, "--events", str(n_events)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
