"""Two clients of a shop who go on whatever happens to it, and remember what they were told."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from tests.faults.live_shop import LIST

from ..ingest_clients import DOCUMENT, event

SHOPPERS, PRODUCTS, SHELVES = 150, 200, 8
"""As ``tests.faults.plant`` makes them."""
PATIENCE = 20.0
SILENT = "no answer"


@dataclass(frozen=True)
class Told:
    """One request: when it began and how long it took, in seconds, and in a word what came back."""

    began: float
    took: float
    word: str


@dataclass
class Visitor(ABC):
    """Asks the same thing again and again, with a pause."""

    port: int
    key: str
    pause: float = 0.05
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)

    def since(self, moment: float) -> list[Told]:
        """The requests that began after a moment of ``time.monotonic``."""
        return [each for each in list(self.told) if each.began >= moment]

    @abstractmethod
    def ask(self) -> str:
        """Send one request; a word for what went wrong, empty where nothing did."""

    def _go_on(self) -> None:
        while not self._end.is_set():
            began = time.monotonic()
            word = self.ask()
            self.told.append(Told(began, time.monotonic() - began, word))
            self._end.wait(self.pause)

    def post(self, document: str, variables: dict[str, Any], **headers: str) -> tuple[str, dict[str, Any]]:
        """A word for what went wrong, empty where nothing did, and the data."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        try:
            connection.request("POST", "/graphql/", json.dumps({"query": document, "variables": variables}), given)
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException):
            return SILENT, {}
        finally:
            connection.close()
        try:
            told = json.loads(body)
        except ValueError:
            return f"{reply.status} without JSON", {}
        if errors := told.get("errors"):
            return f"{reply.status} {errors[0].get('extensions', {}).get('code', 'without a code')}", {}
        return "", told["data"]


@dataclass
class Reader(Visitor):
    """Asks for a list, and is told its rung."""

    shopper: str = "h1"

    def ask(self) -> str:
        wrong, data = self.post(LIST, {}, **{"X-Shopper": self.shopper})
        if wrong:
            return wrong
        found = data["recommendations"]
        return str(found["rung"]) if found["edges"] else f"{found['rung']}, empty"


@dataclass
class Buyer(Visitor):
    """Sends a few events until they are acknowledged; ids of those that were lie in ``acknowledged``."""

    pause: float = 0.1
    acknowledged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._chance, self._batch = random.Random(), list[dict[str, Any]]()

    def ask(self) -> str:
        self._batch = self._batch or [self._bought() for _ in range(3)]
        wrong, data = self.post(DOCUMENT, {"events": self._batch})
        if wrong:
            return wrong
        answer = data["trackEvents"]
        if answer["accepted"] + answer["duplicates"] != len(self._batch):
            return f"rejected: {answer['rejected']}"
        self.acknowledged += [each["id"].replace("-", "") for each in self._batch]
        self._batch = []
        return "acknowledged"

    def _bought(self) -> dict[str, Any]:
        """An event of a shopper at the shelf they like: the gate would refuse what was learnt from chance alone."""
        said = event(self._chance, SHOPPERS)
        shelf = int(said["shopper"][1:]) % SHELVES
        return said | {"sku": f"p{shelf + SHELVES * self._chance.randrange(PRODUCTS // SHELVES)}"}


def words(told: list[Told]) -> dict[str, int]:
    """How often each word was said."""
    found: dict[str, int] = {}
    for each in told:
        found[each.word] = found.get(each.word, 0) + 1
    return found
