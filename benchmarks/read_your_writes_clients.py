"""Shoppers who do something and ask for a list by turns, staff who close products, and what neither may see."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

CLIENTS, SHOPPERS_EACH, MOST_CLOSED = 8, 5, 25
PAUSE = 0.05
"""Seconds between two decisions of staff."""
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted duplicates rejected { code } } }"
LIST = "query { recommendations(first: 20) { slateId rung edges { node { sku title } reasons { kind } } } }"
UPSERT = "mutation($p: [ProductInput!]!) { upsertProducts(products: $p) { stored rejected { code message } } }"
KINDS, SHARES = ("PURCHASE", "VIEW_ITEM", "ADD_TO_CART"), (5, 3, 2)


@dataclass
class Line:
    """Keep-alive connections to each web process, one of which gets each request, by chance."""

    ports: Sequence[int]
    key: str
    chance: random.Random
    _open: dict[int, http.client.HTTPConnection] = field(default_factory=dict)

    def ask(self, query: str, variables: dict[str, Any], **more: str) -> dict[str, Any]:
        """Raises AssertionError where the answer is an error; what was lost on the way is sent again."""
        port = self.chance.choice(self.ports)
        body = json.dumps({"query": query, "variables": variables})
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **more}
        for fresh in (False, True):
            if fresh or port not in self._open:
                self._open[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                self._open[port].request("POST", "/graphql/", body, headers)
                answer = json.loads(self._open[port].getresponse().read())
                break
            except (OSError, http.client.HTTPException):
                if fresh:
                    raise
        assert answer.get("data"), answer
        data: dict[str, Any] = answer["data"]
        return data


class Closed:
    """Products whose closing was acknowledged, each with the number of that closing; safe to ask from any thread."""

    def __init__(self) -> None:
        self._guard, self._numbers, self._last = threading.Lock(), dict[str, int](), 0

    def close(self, sku: str) -> None:
        with self._guard:
            self._last += 1
            self._numbers[sku] = self._last

    def reopen(self, sku: str) -> None:
        """To be called before anybody asks for it: from then on it may be shown."""
        with self._guard:
            self._numbers.pop(sku, None)

    def oldest(self) -> str | None:
        """One to bring back, where enough are closed."""
        with self._guard:
            return next(iter(self._numbers)) if len(self._numbers) >= MOST_CLOSED else None

    def now(self) -> dict[str, int]:
        with self._guard:
            return dict(self._numbers)


class Round:
    """Some thousand requests, and what they saw."""

    def __init__(self, ports: Sequence[int], key: str, requests: int) -> None:
        self._ports, self._key, self._each = ports, key, requests // CLIENTS
        self._closed, self._shown = Closed(), deque[dict[str, str]](maxlen=50)
        self._guard, self._over = threading.Lock(), threading.Event()
        self._failures: list[BaseException] = []
        self._events: dict[str, list[str]] = {}
        self._lists: list[tuple[str, str, int]] = []
        self._violations = Counter(bought_shown=0, closed_shown=0)
        self.counts: Counter[str] = Counter()

    def run(self) -> dict[str, int]:
        """The violations that the answers alone tell."""
        clients = [threading.Thread(target=self._tried, args=(self._shop, number)) for number in range(CLIENTS)]
        staff = threading.Thread(target=self._tried, args=(self._close, CLIENTS))
        for thread in (*clients, staff):
            thread.start()
        for thread in clients:
            thread.join()
        self._over.set()
        staff.join()
        if self._failures:
            raise self._failures[0]
        return dict(self._violations)

    def record(self) -> dict[str, Any]:
        """Each shopper's acknowledged events in order, and of each list whose it is and how many came before it."""
        return {"events": self._events, "lists": self._lists}

    def _tried(self, work: Any, number: int) -> None:
        try:
            work(Line(self._ports, self._key, random.Random(f"{number} {uuid.uuid4()}")))
        except BaseException as error:  # told by run, in the thread that waits
            self._failures.append(error)

    def _shop(self, line: Line) -> None:
        """One client: its shoppers are nobody else's, so what was acknowledged before a list is known exactly."""
        with self._guard:
            start = len(self._events)
            mine = [f"h100-{start + k}" for k in range(SHOPPERS_EACH)]
            self._events |= {shopper: [] for shopper in mine}
        bought: dict[str, set[str]] = {shopper: set() for shopper in mine}
        last: dict[str, list[str]] = {}
        for _ in range(self._each):
            shopper = line.chance.choice(mine)
            if shopper in last and line.chance.random() < 0.5:
                self._do(line, shopper, last[shopper], bought[shopper])
            else:
                last[shopper] = self._ask(line, shopper, bought[shopper])

    def _do(self, line: Line, shopper: str, listed: list[str], bought: set[str]) -> None:
        (kind,) = line.chance.choices(KINDS, SHARES)
        first = bool(listed) and line.chance.random() < 0.7
        sku = listed[0] if first else f"p{line.chance.randrange(1000)}"
        event = {"id": str(uuid.UUID(int=line.chance.getrandbits(128), version=4)), "type": kind, "sku": sku}
        told = line.ask(TRACK, {"e": [event]}, **{"X-Shopper": shopper})["trackEvents"]
        assert told["accepted"] + told["duplicates"] == 1, told
        self._events[shopper].append(event["id"].replace("-", ""))
        if kind == "PURCHASE":
            bought.add(sku)
        with self._guard:
            self.counts["events"] += 1
            self.counts["first_of_a_list_bought"] += first and kind == "PURCHASE"

    def _ask(self, line: Line, shopper: str, bought: set[str]) -> list[str]:
        closed = self._closed.now()
        told = line.ask(LIST, {}, **{"X-Shopper": shopper})["recommendations"]
        still = self._closed.now()
        nodes = [edge["node"] for edge in told["edges"]]
        skus = [node["sku"] for node in nodes]
        with self._guard:
            self.counts["lists"] += 1
            self._lists.append((told["slateId"], shopper, len(self._events[shopper])))
            self._shown.extend(nodes[:5])
            self._violations["bought_shown"] += len(bought.intersection(skus))
            self._violations["closed_shown"] += sum(sku in closed and closed[sku] == still.get(sku) for sku in skus)
        return skus

    def _close(self, line: Line) -> None:
        """Staff: hide or sell out one of the products shown last, and bring back the one closed longest."""
        while not self._over.wait(PAUSE):
            if (sku := self._closed.oldest()) is not None:
                self._closed.reopen(sku)
                self._write(line, {"sku": sku, "title": sku, "visible": True, "stock": None})
            with self._guard:
                node = line.chance.choice(self._shown) if self._shown else None
            if node is None or node["sku"] in self._closed.now():
                continue
            how = {"visible": False} if line.chance.random() < 0.5 else {"stock": 0}
            self._write(line, {**node, **how})
            self._closed.close(node["sku"])
            self.counts["hidden" if "visible" in how else "sold_out"] += 1

    def _write(self, line: Line, product: dict[str, Any]) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1_000_000:06d}+00:00"
        told = line.ask(UPSERT, {"p": [{**product, "updatedAt": moment}]})["upsertProducts"]
        assert told["stored"] == 1, told
