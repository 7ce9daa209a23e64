"""A shop under the mix of ``load_mix``, run by locust in a process of its own, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MIX = Path(__file__).with_name("load_mix.py")


class Told(NamedTuple):
    """One request of the mix: when it began (unix seconds), its milliseconds until the answer, and its tries."""

    began: float
    name: str
    ms: float
    tries: int
    word: str
    """What went wrong; empty where nothing did."""


@dataclass(frozen=True)
class Mix:
    """What the users of the mix were told.

    Attributes:
        told: In the order of the answers.
        acknowledged: Ids of events, without dashes.
    """

    told: list[Told]
    acknowledged: set[str]
    seconds: float

    def report(self) -> dict[str, Any]:
        """Requests a second, percentiles by kind, what failed and what a second try made good."""
        lists = [each.ms for each in self.told if each.name == "list" and not each.word]
        kinds = Counter(each.name for each in self.told)
        return {
            "requests_per_s": round(len(self.told) / self.seconds, 1),
            "share": {name: round(n / len(self.told), 3) for name, n in kinds.items()},
            "list_ms": percentiles(lists),
            "events_acknowledged": len(self.acknowledged),
            "failed": dict(Counter(f"{each.name}: {each.word}" for each in self.told if each.word)),
            "tried_again": sum(each.tries > 1 for each in self.told),
        }

    def p99_between(self, start: float, end: float) -> float:
        """Of the lists that began between two moments of the run, in seconds from its start."""
        first = self.told[0].began
        some = [t.ms for t in self.told if t.name == "list" and start <= t.began - first < end]
        return round(float(np.percentile(some, 99)), 1)


def percentiles(times: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(1).tolist()
    return {"p50": p50, "p95": p95, "p99": p99, "worst": round(max(times), 1)}


def run_mix(
    folder: Path,
    ports: Sequence[int],
    key: str,
    *,
    seconds: float,
    users: int = 8,
    per_second: float = 0.0,
    shoppers: int,
    products: int,
    meanwhile: Callable[[float], None] = lambda passed: None,
) -> Mix:
    """``per_second`` requests of all users together; 0: each asks again once it is answered.

    ``meanwhile`` is called ten times a second with the seconds since the start.

    Raises:
        RuntimeError: If locust is not installed or cannot start.
    """
    out, acknowledged = folder / "mix.jsonl", folder / "mix-acknowledged"
    for path in (out, acknowledged):
        path.unlink(missing_ok=True)
    environment = {
        **os.environ, "LOAD_PORTS": ",".join(map(str, ports)), "LOAD_KEY": key, "LOAD_TOLD": str(out),
        "LOAD_ACKNOWLEDGED": str(acknowledged), "LOAD_SHOPPERS": str(shoppers), "LOAD_PRODUCTS": str(products),
        "LOAD_PER_SECOND": str(per_second / users if per_second else 10_000.0), "PYTHONPATH": str(MIX.parent.parent),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "locust", "-f", str(MIX), "--headless", "--users", str(users), "--spawn-rate", str(users),
        "--run-time", f"{seconds:.0f}s", "--stop-timeout", "30", "--only-summary", "--exit-code-on-error", "0",
        "--skip-log",
    ]  # fmt: skip
    began = time.monotonic()
    log = folder / "mix.log"
    with log.open("w") as said:
        locust = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        while locust.poll() is None:
            meanwhile(time.monotonic() - began)
            time.sleep(0.1)
    told = list(_told(out)) if out.exists() else []
    if not told:
        raise RuntimeError(f"locust did not run (pip install -r requirements-bench.txt): {log.read_text()[-500:]}")
    ids = {line.replace("-", "") for line in acknowledged.read_text().split()}
    return Mix(told, ids, max(each.began + each.ms / 1000 for each in told) - told[0].began)


def _told(path: Path) -> Iterator[Told]:
    with path.open() as lines:
        for line in lines:
            yield Told(*json.loads(line))
