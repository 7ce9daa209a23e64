"""The rows of ``benchmarks.load`` that put a shop of real processes under load: reading, overload, start and switch."""

from __future__ import annotations

import hashlib
import http.client
import json
import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.faults.live_shop import kill, wait_for

from .fault_rows.clients import Told, Visitor
from .ingest_clients import Client, Traffic, body_of, event
from .load_shop import PRODUCTS, SHOPPERS, LoadShop
from .serving_clients import LIST
from .serving_shop import workers_of

SHARE = 0.6
"""Of what goes through at full speed."""
ALLOWED, BURST_S = 0.6, 0.5
"""The allowance of who floods the shop, of what goes through, and the seconds of it that may be spent at once."""
READS_PER_S, SWITCHES, STARTS = 100.0, 10, 5
OTHER = (
    "services.promote_by_staff(version=ModelVersion.objects.filter(recommender='popularity', pruned_at=None)"
    ".exclude(state='live').latest('pk'), by=None, why='the other one')"
)
"""Has the version serve that does not."""


@dataclass
class PacedReader(Visitor):
    """Asks for lists at a pace that slow answers do not slow down, as far as its one connection goes."""

    per_second: float = 10.0
    pause: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._chance = random.Random()
        self._due = time.monotonic() + self._chance.random() / self.per_second  # readers do not ask in step
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self) -> str:
        body = json.dumps({"query": LIST})
        shopper = f"h{self._chance.randrange(SHOPPERS)}"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "X-Shopper": shopper}
        try:
            self._connection.request("POST", "/graphql/", body, headers)
            reply = self._connection.getresponse()
            answer = json.loads(reply.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return f"no answer: {type(error).__name__}"
        if answer.get("errors") or not answer["data"]["recommendations"]["edges"]:
            return f"{reply.status}: {str(answer)[:100]}"
        return ""

    def _go_on(self) -> None:
        while not self._end.is_set():
            self._due = max(self._due + 1 / self.per_second, time.monotonic() - 1.0)
            self._end.wait(max(0.0, self._due - time.monotonic()))
            began = min(self._due, time.monotonic())
            word = self.ask()
            self.told.append(Told(began, time.monotonic() - began, word))


@contextmanager
def readers(shop: LoadShop, port: int, *, per_second: float, n: int = 16) -> Iterator[Callable[[float], list[Told]]]:
    """Readers at a pace of all together; gives what was told since a moment, after which none may have failed.

    So many that each web process gets some of the connections: one that is asked nothing goes on as it was.
    """
    each = [PacedReader(port, shop.key, per_second=per_second / n) for _ in range(n)]
    for reader in each:
        reader.start()
    try:
        yield lambda since: [told for reader in each for told in reader.since(since)]
    finally:
        for reader in each:
            reader.stop()
    failed = [told.word for reader in each for told in reader.told if told.word]
    assert not failed, f"{len(failed)} lists failed: {failed[0]}"


def p99(told: list[Told]) -> float:
    return round(float(np.percentile([1000 * each.took for each in told], 99)), 1)


def capacity(shop: LoadShop, port: int, seconds: float) -> float:
    """Events a second of one client, a hundred a batch, as fast as one answer follows the other."""
    found = Traffic(port, shop.key, SHOPPERS, seconds=seconds, batch=100).run()
    return float(found["received_per_s"])


def reading(shop: LoadShop, seconds: float) -> dict[str, Any]:
    """L5: lists at rest, then while events come in at 60% and a training goes on."""
    port, web = shop.open()
    most = capacity(shop, port, seconds / 2)
    seconds *= 5  # the p99 of a hundred lists would be the worst of them
    with readers(shop, port, per_second=10.0) as since:
        time.sleep(10)  # the first lists take up the models, and each thread a connection
        start = time.monotonic()
        time.sleep(seconds)
        idle = p99(since(start))
        worker = shop.trainer()
        try:
            start = time.monotonic()
            traffic = Traffic(port, shop.key, SHOPPERS, seconds=seconds, batch=100, clients=2, per_second=SHARE * most)
            sent = traffic.run()
            busy = p99(since(start))
        finally:
            shop.stop(worker)
    kill(web)
    return {
        "capacity_events_per_s": most, "events_per_s": sent["received_per_s"], "idle_p99_ms": idle, "busy_p99_ms": busy,
        "ratio": round(busy / idle, 2), "aims": {"pass": "<= 2", "stretch": "<= 1.3"},
    }  # fmt: skip


def overload(shop: LoadShop, seconds: float) -> dict[str, Any]:
    """L7: three times what one client gets through, by a sender without a limit and by one with an allowance below it.

    The first is only made to wait, the second is refused.
    """
    port, web = shop.open()
    most = capacity(shop, port, seconds / 2)
    refill = ALLOWED * most * points_of(Client(port, shop.key)) / 100
    free = _flooded(shop, port, 3 * most, seconds)
    kill(web)
    port, web = shop.open(FAULTS_RATE_POINTS=str(int(refill * BURST_S)), FAULTS_RATE_REFILL=str(refill))
    held = _flooded(shop, port, 3 * most, seconds)
    kill(web)
    return {
        "capacity_events_per_s": most, "allowance": ALLOWED, "without an allowance": free, "with an allowance": held,
        "ratio": round(free["taken_per_s"] / most, 2),
        "of_the_allowance": round(held["taken_per_s"] / most / ALLOWED, 2),
        "aims": {"pass": "goodput >= 0.8, refused <= 50 ms, recovery <= 10 s", "stretch": "goodput >= 0.95"},
    }  # fmt: skip


def points_of(client: Client) -> int:
    """What a batch of a hundred events costs its sender: a point for the request, and one for ten objects."""
    chance = random.Random()
    batch = [event(chance, SHOPPERS, PRODUCTS) for _ in range(100)]
    body = body_of(batch)
    headers = {"Authorization": f"Bearer {client.key}", "Content-Type": "application/json"}
    client.connection.request("POST", "/graphql/", body, headers)
    cost = json.loads(client.connection.getresponse().read())["extensions"]["cost"]
    return 1 + math.ceil(cost["objects"] / 10)


def _flooded(shop: LoadShop, port: int, per_second: float, seconds: float) -> dict[str, Any]:
    flood = Flood(port, shop.key, per_second)
    calm = PacedReader(port, shop.key, per_second=5.0)
    assert not (wrong := calm.ask()), wrong
    lost = flood.run(seconds)
    ended = time.monotonic()
    calm.start()
    wait_for(lambda: any(not told.word for told in calm.told), "a list after the flood", seconds=60)
    calm.stop()
    recovered = next(told.began + told.took for told in calm.told if not told.word) - ended
    missing = flood.acknowledged - shop.stored()
    assert not missing, f"{len(missing)} acknowledged events are not stored"
    return {
        "offered_per_s": round(per_second), "taken_per_s": round(len(flood.acknowledged) / seconds),
        "refused": len(flood.refused), "refused_ms": _cuts(flood.refused), "taken_ms": _cuts(flood.taken),
        "other_answers": lost, "recovery_s": round(recovered, 2),
    }  # fmt: skip


def _cuts(times: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.median(times)), 1), "p99": round(float(np.percentile(times, 99)), 1)} if times else {}


@dataclass
class Flood:
    """Clients that send more than goes through, and keep to their pace however long the answers take."""

    port: int
    key: str
    per_second: float
    clients: int = 12
    acknowledged: set[str] = field(default_factory=set)
    refused: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> dict[str, int]:
        """How often it was answered otherwise than by taking the events or by RATE_LIMITED."""
        self._others: dict[str, int] = {}
        each = 1 + math.ceil(self.per_second * seconds / 100 / self.clients)
        batches = [self._batches(each) for _ in range(self.clients)]  # made before: they are no work of the shop's
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(number, end, batches[number])) for number in range(self.clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._others

    def _batches(self, n: int) -> list[tuple[set[str], str]]:
        """Bodies of a hundred events each, with ids of their own: another flood may come."""
        chance, made = random.Random(), []
        for _ in range(n):
            batch = [event(chance, SHOPPERS, PRODUCTS) for _ in range(100)]
            made.append(({told["id"].replace("-", "") for told in batch}, body_of(batch)))
        return made

    def _work(self, number: int, end: float, batches: list[tuple[set[str], str]]) -> None:
        client = Client(self.port, self.key)
        every = 100 * self.clients / self.per_second
        due = time.monotonic() + every * number / self.clients
        while due < end and batches:
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + every, time.monotonic())
            ids, body = batches.pop()
            began = time.monotonic()
            word = self._answer(client, body)
            took = 1000 * (time.monotonic() - began)
            if word == "":
                self.taken.append(took)
                self.acknowledged |= ids
            elif word == "RATE_LIMITED":
                self.refused.append(took)
            else:
                self._others[word] = self._others.get(word, 0) + 1

    @staticmethod
    def _answer(client: Client, body: str) -> str:
        try:
            answer = client.post(body)
        except AssertionError as error:
            return str(error.args[0]["errors"][0]["extensions"]["code"])
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        return ", ".join(sorted({each["code"] for each in answer["rejected"]}))


def cold_start(shop: LoadShop, seconds: float) -> dict[str, Any]:
    """L9: from the start of a web process to its first list, and how fast a model is verified and mapped."""
    times, rungs = [], set()
    for _ in range(STARTS):
        began = time.monotonic()
        port, web = shop.open(workers=1)
        client = Client(port, shop.key)
        headers = {"Authorization": f"Bearer {shop.key}", "Content-Type": "application/json", "X-Shopper": "h1"}
        client.connection.request("POST", "/graphql/", json.dumps({"query": LIST}), headers)
        answer = json.loads(client.connection.getresponse().read())
        times.append(time.monotonic() - began)
        rungs.add(answer["data"]["recommendations"]["rung"])
        kill(web)
    return {
        "first_list_s": {"median": round(median(times), 2), "worst": round(max(times), 2)}, "rungs": sorted(rungs),
        **_mapped(), "aims": {"pass": "first list <= 3 s, ratio >= 0.5", "stretch": "<= 1.5 s"},
    }  # fmt: skip


def _mapped() -> dict[str, Any]:
    """MB a second of load() on an artifact of some size, of those that sha256 alone goes through."""
    from reco_engine.artifacts import load, save
    from reco_engine.data.interactions import Interactions
    from reco_engine.recommenders import ItemCF

    chance = np.random.default_rng(1)
    users, items = np.repeat(np.arange(20_000), 50), chance.integers(0, 20_000, 1_000_000)
    given = {"activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3, "n_targets": 400, "spectral_weight": 0.0}
    model = ItemCF(**given, half_life=180.0, history_half_life=60.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "item_cf"
        save(model.fit(Interactions.from_arrays(users, items, timestamps=np.arange(len(items))), seed=0), path)
        files = [each for each in path.iterdir() if each.is_file()]
        size = sum(each.stat().st_size for each in files)
        hashed, mapped = [], []
        for _ in range(5):
            began = time.perf_counter()
            for each in files:
                hashlib.sha256(each.read_bytes()).hexdigest()
            hashed.append(time.perf_counter() - began)
            began = time.perf_counter()
            load(path)
            mapped.append(time.perf_counter() - began)
    return {
        "artifact_mb": round(size / 1e6, 1), "sha256_mb_per_s": round(size / 1e6 / median(hashed)),
        "load_mb_per_s": round(size / 1e6 / median(mapped)), "ratio": round(median(hashed) / median(mapped), 2),
    }  # fmt: skip


def switch(shop: LoadShop, seconds: float) -> dict[str, Any]:
    """L10: versions go live under reads; which maps of old ones the web processes still hold is read in /proc.

    Both versions are there before: what a training costs is the row ``reading``.
    """
    port, web = shop.open()
    hand = shop.hand()
    hand.do("services.request_training(kind='popularity').pk")
    assert hand.do("work_off()") == 1, "a training failed"
    with readers(shop, port, per_second=1000.0) as since:
        time.sleep(2)
        start = time.monotonic()
        time.sleep(3)
        most = len(since(start)) / 3
    pace = min(READS_PER_S, SHARE * most)
    switched: list[tuple[float, float]] = []
    old = ""
    with readers(shop, port, per_second=pace) as since:
        time.sleep(2)
        start = time.monotonic()
        time.sleep(seconds)
        steady = since(start)
        for _ in range(SWITCHES):
            old = shop.live_version("popularity").replace("-", "")
            began = time.monotonic()
            hand.do(OTHER)
            switched.append((began, time.monotonic() + 1.0))
            time.sleep(1.5)
        all_told = since(start)
        ended = time.monotonic()
        held = lambda: any(old in line for pid in workers_of(web) for line in _maps(pid))  # noqa: E731
        wait_for(lambda: not held(), "the end of the old map", seconds=60)
        freed = time.monotonic() - ended
    kill(web)
    around = [told for told in all_told if any(a <= told.began <= b for a, b in switched)]
    return {
        "reads_per_s": round(pace, 1), "lists": len(all_told), "errors": 0, "switches": SWITCHES,
        "steady_p99_ms": p99(steady), "around_p99_ms": p99(around), "added_p99_ms": round(p99(around) - p99(steady), 1),
        "old_map_freed_s": round(freed, 1),
        "aims": {"pass": "0 errors, added p99 <= 20 ms, freed <= 60 s", "stretch": "added p99 <= 5 ms"},
    }  # fmt: skip


def _maps(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/maps").read_text().splitlines()
