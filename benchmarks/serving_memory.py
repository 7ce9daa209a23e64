"""What a web process holds, and what a second one adds to a first: maps of the models' files are shared."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.faults.live_shop import free_port, kill

from .serving_clients import Asker
from .serving_shop import BenchShop, workers_of

ASKED = 60
LINE = re.compile(r"^(Rss|Pss|Private_Clean|Private_Dirty): +(\d+) kB$", re.MULTILINE)


def memory_of_a_second(
    shop: BenchShop, first: subprocess.Popen[bytes], port: int, shoppers: list[str]
) -> dict[str, Any]:
    """MB of two web processes that have served the same lists; the second's private pages are what it costs."""
    other = free_port()
    second = shop.serve(other)
    try:
        for each in (port, other):
            asker = Asker(each, shop.key)
            for shopper in shoppers[:: max(len(shoppers) // ASKED, 1)]:
                asker.list_for(shopper)
        return {name: held(workers_of(server)) for name, server in (("first", first), ("second", second))}
    finally:
        kill(second)


def held(processes: list[int]) -> dict[str, float]:
    """MB of some processes together."""
    sums = dict.fromkeys(("Rss", "Pss", "Private_Clean", "Private_Dirty"), 0)
    for process in processes:
        for name, kilobytes in LINE.findall(Path(f"/proc/{process}/smaps_rollup").read_text()):
            sums[name] += int(kilobytes)
    private = sums["Private_Clean"] + sums["Private_Dirty"]
    megabytes = {"rss_mb": sums["Rss"], "pss_mb": sums["Pss"], "private_mb": private}
    return {name: round(value / 1024, 1) for name, value in megabytes.items()}
