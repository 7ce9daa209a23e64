"""L6: the mix for half an hour at 60% of what goes through, and what grows meanwhile.

A machine that is shared may run at twice its speed for some minutes. So the same piece of work is timed, by the clock
of its own thread, throughout the run: ``machine_ratio`` is what it took at the end by what it took at the beginning.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.live_shop import kill

from .load_rows import SHARE
from .load_run import run_mix
from .load_shop import PRODUCTS, SHOPPERS, LoadShop
from .serving_shop import workers_of

EVERY, WARM = 10.0, 300.0
"""Seconds between two looks, and after which a process has what it needs (a fifth of a shorter run)."""


def soak(shop: LoadShop, minutes: float) -> dict[str, Any]:
    """A web server of two processes, a worker and beat under the mix: memory, open files, the write-ahead log, p99."""
    port, web = shop.open()
    worker, beat = shop.worker(), shop.beat()
    sizes = {"shoppers": SHOPPERS, "products": PRODUCTS}
    most = run_mix(shop.folder, [port], shop.key, seconds=20, **sizes).report()["requests_per_s"]
    held: dict[str, list[tuple[float, int, int]]] = {}
    paces: list[tuple[float, float]] = []
    wal, looked = 0, -EVERY

    def look(passed: float) -> None:
        nonlocal wal, looked
        if passed - looked < EVERY:
            return
        looked = passed
        paces.append((passed, _pace()))
        named = {f"web {n}": pid for n, pid in enumerate(sorted(workers_of(web)))}
        for name, pid in {**named, "worker": worker.pid, "beat": beat.pid}.items():
            held.setdefault(name, []).append((passed, _own_kb(pid), len(os.listdir(f"/proc/{pid}/fd"))))
        if not shop.database:
            wal = max(wal, _size(shop.folder / "db.sqlite3-wal"))

    start, seconds = time.time(), 60 * minutes
    mix = run_mix(shop.folder, [port], shop.key, seconds=seconds, per_second=SHARE * most, meanwhile=look, **sizes)
    lost = len(mix.acknowledged - shop.stored())
    for process in (web, worker, beat):
        kill(process)
    warm = min(WARM, seconds / 5)
    first, last = mix.p99_between(0, warm), mix.p99_between(seconds - warm, seconds)
    slower = _median(paces, seconds - warm, seconds) / _median(paces, 0, warm)
    grown = {name: _grown(looks, warm) for name, looks in held.items()}
    return {
        "minutes": round((time.time() - start) / 60, 1), "capacity_requests_per_s": most, **mix.report(), "lost": lost,
        "processes": grown, "p99_first_ms": first, "p99_last_ms": last, "p99_ratio": round(last / first, 2),
        "machine_ratio": round(slower, 2), "p99_ratio_by_machine": round(last / first / slower, 2),
        **({} if shop.database else {"wal_mb": round(wal / 2**20, 1)}),
        "aims": {"pass": "lost 0; own <= +5% after minute 5; p99 ratio <= 1.2; wal <= 64 MB; open files flat",
                 "stretch": "<= +2%"},
    }  # fmt: skip


def _grown(looks: list[tuple[float, int, int]], warm: float) -> dict[str, Any]:
    """Of the median of the minute after the warm-up to that of the last minute, so that one allocation is no trend."""
    after = [look for look in looks if look[0] >= warm]
    n = max(1, min(6, len(after) // 2))
    first, last = sorted(look[1] for look in after[:n])[n // 2], sorted(look[1] for look in after[-n:])[n // 2]
    return {
        "own_mb": [round(first / 1024, 1), round(last / 1024, 1)], "growth": round(last / first - 1, 3),
        "own_mb_on_the_way": _on_the_way(after),
        "open_files": [after[0][2], after[-1][2]],
    }  # fmt: skip


def _pace() -> float:
    """Milliseconds of the processor that a piece of work takes, always the same one."""
    began, total = time.thread_time(), 0
    for n in range(200_000):
        total += n * n
    return 1000 * (time.thread_time() - began)


def _median(paces: Sequence[tuple[float, float]], start: float, end: float) -> float:
    return statistics.median(each for passed, each in paces if start <= passed <= end)


def _on_the_way(looks: list[tuple[float, int, int]]) -> list[float]:
    """Ten of them: whether it was a step or a slope."""
    return [round(looks[place * (len(looks) - 1) // 9][1] / 1024, 1) for place in range(10)]


def _own_kb(pid: int) -> int:
    """Of its own: what it has mapped of files, up to 2 GB of SQLite's, is the system's to take back."""
    return int(re.findall(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
