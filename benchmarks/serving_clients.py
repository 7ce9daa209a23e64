"""Clients that ask a shop for lists over HTTP, and what they see of it."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .serving_shop import METRICS_TOKEN

FIELDS = "rung edges { score rank node { id title price currency } reasons { kind points text } }"
LIST = f"query {{ recommendations(first: 20) {{ {FIELDS} }} }}"
FLOOR = f"query($ids: [ID!]!) {{ products(ids: $ids) {{ {FIELDS} }} }}"
EVIDENT = FIELDS.replace("text }", "text evidence { id title } }")
HOME = f"""query {{ recommendationsFor(requests: [{{placement: "home", first: 12}}, {{placement: "again", first: 6}},
    {{placement: "popular", first: 12}}]) {{ slateId {EVIDENT} }} }}"""
STAGE = re.compile(r'^shop_reco_stage_seconds_(sum|count)\{stage="(\w+)"\} (\S+)$', re.MULTILINE)

PAUSE = 0.3
"""Seconds in which the last lists get their rows."""


@dataclass
class Asker:
    """One keep-alive connection with a server's key."""

    port: int
    key: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def list_for(self, shopper: str) -> tuple[float, dict[str, Any]]:
        """Milliseconds until the last byte, and the list of 20."""
        took, answer = self._post("/graphql/", {"query": LIST}, {"X-Shopper": shopper})
        found: dict[str, Any] = answer["recommendations"]
        return took, found

    def home_for(self, shopper: str) -> tuple[float, list[dict[str, Any]]]:
        """Milliseconds until the last byte, and the lists of a home page."""
        took, answer = self._post("/graphql/", {"query": HOME}, {"X-Shopper": shopper})
        found: list[dict[str, Any]] = answer["recommendationsFor"]
        return took, found

    def floor_for(self, ids: Sequence[str]) -> float:
        """Milliseconds until the last byte of the bare answer with these products."""
        took, answer = self._post("/floor/", {"query": FLOOR, "variables": {"ids": ids}}, {})
        assert [edge["node"]["id"] for edge in answer["products"]["edges"]] == ids
        return took

    def stages(self) -> dict[str, tuple[float, float]]:
        """Seconds in each stage of a list, and how often it was gone through, since the process began."""
        self.connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        text = self.connection.getresponse().read().decode()
        found = {(what, name): float(value) for what, name, value in STAGE.findall(text)}
        return {name: (found["sum", name], found["count", name]) for what, name in found if what == "sum"}

    def _post(self, path: str, document: dict[str, Any], more: dict[str, str]) -> tuple[float, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **more}
        body = json.dumps(document)
        start = time.perf_counter()
        self.connection.request("POST", path, body, headers)
        told = self.connection.getresponse().read()
        took = 1000 * (time.perf_counter() - start)
        answer = json.loads(told)
        assert answer.get("data"), answer
        return took, answer["data"]


def processor_ms(asker: Asker, shoppers: Sequence[str], requests: int, processes: Sequence[int]) -> dict[str, float]:
    """Processor time of the web process for a list, its row included, and for a bare answer: others count for less."""
    some = list(itertools.islice(itertools.cycle(shoppers), requests))
    began = processor_seconds(processes)
    lists = [ids_of(asker.list_for(shopper)[1]) for shopper in some]
    time.sleep(PAUSE)
    listed = processor_seconds(processes)
    for ids in lists:
        asker.floor_for(ids)
    ended = processor_seconds(processes)
    mean, floor = 1000 * (listed - began) / requests, 1000 * (ended - listed) / requests
    return {"list": round(mean, 2), "floor": round(floor, 2), "of_floor": round(mean / floor, 2)}


def processor_seconds(processes: Sequence[int]) -> float:
    """That some processes have had until now."""
    paths = (path for process in processes for path in Path(f"/proc/{process}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in paths) / 1e9


def asked_in_turn(asker: Asker, shoppers: Sequence[str], requests: int) -> dict[str, Any]:
    """Lists and bare answers of the same products by turns, after one round that is not counted."""
    for shopper in shoppers:
        asker.floor_for(ids_of(asker.list_for(shopper)[1]))
    before, times, floors, rungs = asker.stages(), [], [], set()
    for shopper in itertools.islice(itertools.cycle(shoppers), requests):
        took, found = asker.list_for(shopper)
        floors.append(asker.floor_for(ids_of(found)))
        times.append(took)
        rungs.add(found["rung"])
    told, floor = percentiles(times), percentiles(floors)
    return {
        "rungs": sorted(rungs), "ms": told, "floor_ms": floor,
        "of_floor": {name: round(told[name] / floor[name], 2) for name in ("p50", "p95")},
        "stages": dict(shares(before, asker.stages(), float(np.mean(times)))),
    }  # fmt: skip


def shares(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]], whole: float
) -> Iterator[tuple[str, dict[str, float]]]:
    """Mean milliseconds of each stage and its share of the whole request; what is outside of the list comes last."""
    means = {
        name: 1000 * (total - before.get(name, (0.0, 0.0))[0]) / max(count - before.get(name, (0.0, 0.0))[1], 1)
        for name, (total, count) in after.items()
    }
    listed = means.pop("list")
    means["within the list"] = listed - sum(means.values())
    means["HTTP, Django and GraphQL"] = whole - listed
    for name, mean in sorted(means.items(), key=lambda pair: -pair[1]):
        yield name, {"ms": round(mean, 2), "share": round(mean / whole, 3)}


def ids_of(found: dict[str, Any]) -> list[str]:
    ids = [edge["node"]["id"] for edge in found["edges"]]
    assert len(ids) == 20, f"a list of {len(ids)}"
    return ids


def per_second(
    port: int,
    key: str,
    shoppers: Sequence[str],
    *,
    clients: int,
    seconds: float,
    ask: Callable[[Asker, str], object] = Asker.list_for,
) -> float:
    """Answers a second of clients that ask again as soon as they are answered."""
    counts, end = [0] * clients, time.perf_counter() + seconds
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            asker = Asker(port, key)
            for shopper in itertools.cycle(shoppers[number::clients]):
                if time.perf_counter() >= end:
                    return
                ask(asker, shopper)
                counts[number] += 1
        except BaseException as error:  # told below, in the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return round(sum(counts) / (time.perf_counter() - start), 1)


def percentiles(times: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(2).tolist()
    return {"p50": p50, "p95": p95, "p99": p99}
