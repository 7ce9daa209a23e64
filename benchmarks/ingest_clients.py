"""Clients that send events to a shop over HTTP, and remember what was acknowledged."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

DOCUMENT = (
    "mutation($events: [EventInput!]!) { trackEvents(events: $events) "
    "{ accepted duplicates rejected { index code message } } }"
)
TYPES = ("VIEW_ITEM",) * 6 + ("SELECT_ITEM", "ADD_TO_CART", "PURCHASE", "RATE")


def event(chance: random.Random, shoppers: int, products: int = 200) -> dict[str, Any]:
    """An event of a planted shopper and product, as a shop's server sends it."""
    kind = chance.choice(TYPES)
    moment = time.time() - chance.random() * 86_400
    said: dict[str, Any] = {
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "type": kind,
        "shopper": f"h{chance.randrange(shoppers)}",
        "sku": f"p{chance.randrange(products)}",
        "occurredAt": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment)),
    }
    if kind == "PURCHASE":
        said |= {"quantity": 1 + chance.randrange(3), "price": f"{chance.randrange(1, 9999) / 100:.2f}", "order": "o1"}
    if kind == "RATE":
        said["rating"] = 1 + chance.randrange(5)
    return said


def body_of(events: list[dict[str, Any]]) -> str:
    return json.dumps({"query": DOCUMENT, "variables": {"events": events}})


@dataclass
class Client:
    """One keep-alive connection with a server's key."""

    port: int
    key: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def send(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """The payload of trackEvents.

        Raises:
            OSError, http.client.HTTPException: If the connection breaks.
            AssertionError: If the shop answers with an error.
        """
        return self.post(body_of(events))

    def post(self, body: str) -> dict[str, Any]:
        """As ``send``, of a body that was made before."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            self.connection.request("POST", "/graphql/", body, headers)
            reply = json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        assert reply.get("data"), reply
        payload: dict[str, Any] = reply["data"]["trackEvents"]
        return payload


@dataclass
class Traffic:
    """Batches of events for some seconds: as fast as one answer follows the other, or at a pace."""

    port: int
    key: str
    shoppers: int
    seconds: float
    batch: int
    clients: int = 1
    repeats: float = 0.0
    """Share of each batch that was sent before."""
    per_second: float = 0.0
    """Events that all clients together send in a second; 0: as many as go."""
    acknowledged: set[str] = field(default_factory=set)

    def run(self) -> dict[str, Any]:
        self._times: list[float] = []
        self._received = 0
        self._failures: list[BaseException] = []
        self._guard = threading.Lock()
        Client(self.port, self.key).send([event(random.Random(0), self.shoppers)])  # opens the database
        start = time.perf_counter() + 0.05
        threads = [threading.Thread(target=self._work, args=(n, start)) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        lasted = time.perf_counter() - start
        return {"received_per_s": round(self._received / lasted), "ms": percentiles(self._times)}

    def _work(self, number: int, start: float) -> None:
        try:
            self._send_until(number, start)
        except BaseException as error:  # told by run, in the thread that waits
            self._failures.append(error)

    def _send_until(self, number: int, start: float) -> None:
        chance, client = random.Random(f"{number} {uuid.uuid4()}"), Client(self.port, self.key)
        every = self.batch * self.clients / self.per_second if self.per_second else 0.0
        due = start + every * number / self.clients
        sent: list[dict[str, Any]] = []
        while due < start + self.seconds:
            old = chance.choices(sent, k=int(self.batch * self.repeats)) if sent else []
            new = [event(chance, self.shoppers) for _ in range(self.batch - len(old))]
            time.sleep(max(0.0, due - time.perf_counter()))
            began = due if every else time.perf_counter()
            answer = client.send(new + old)
            took = 1000 * (time.perf_counter() - began)
            assert (answer["accepted"], answer["duplicates"]) == (len(new), len(old)), answer
            with self._guard:
                self._times.append(took)
                self._received += len(new) + len(old)
                self.acknowledged |= {each["id"].replace("-", "") for each in new}
            sent = (sent + new)[-2000:]
            due = due + every if every else time.perf_counter()


def percentiles(times: list[float]) -> dict[str, float]:
    """Milliseconds; ``p99_of_p50`` says how much longer the unlucky wait."""
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
    p50, p99 = cuts[49], cuts[98]
    return {
        "p50": round(p50, 1),
        "p99": round(p99, 1),
        "worst": round(max(times), 1),
        "p99_of_p50": round(p99 / p50, 2),
    }
