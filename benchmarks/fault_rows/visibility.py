"""Products that are hidden, sold out and deleted while their lists are read."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from typing import Any

from tests.faults.live_shop import LIST, wait_for

from .stage import Stage, on_stage

READERS, REPLIES, EDGES = 2, 200, 10
"""Readers at once, and replies of theirs that are looked at in each round."""
UPSERT = "mutation($p: [ProductInput!]!) { upsertProducts(products: $p) { stored stale rejected { code } } }"
DELETE = "mutation($s: [String!]!) { deleteProducts(skus: $s) { stored stale rejected { code } } }"
AWAY = {"hidden": {"visible": False}, "sold out": {"stock": 0}, "deleted": None}
BACK = {"visible": True, "stock": 5}


class Looker:
    """Reads lists of one shopper on a connection of its own; keeps when each reply began and which products it had."""

    def __init__(self, stage: Stage, shopper: str) -> None:
        self.stage, self.shopper = stage, shopper
        self.seen: list[tuple[float, frozenset[str]]] = []
        self.failures: list[str] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.ended.set()
        self.thread.join()

    def _look(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.stage.port, timeout=20)
        given = {"Authorization": f"Bearer {self.stage.shop.key}", "Content-Type": "application/json"}
        while not self.ended.is_set():
            began = time.monotonic()
            connection.request("POST", "/graphql/", json.dumps({"query": LIST}), {**given, "X-Shopper": self.shopper})
            reply = connection.getresponse()
            told = json.loads(reply.read())
            if reply.status != 200 or "errors" in told:
                self.failures.append(f"{reply.status} {told.get('errors')}")
                continue
            edges = told["data"]["recommendations"]["edges"]
            self.seen.append((began, frozenset(edge["node"]["sku"] for edge in edges)))


@on_stage
def withdrawn(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """In each round a product goes that readers see; no reply that begins after has it, and lists stay full."""
    chance, replies, shown = random.Random(seed), 0, 0
    lookers = [Looker(stage, f"h{n}") for n in range(READERS)]
    try:
        for each in range(rounds):
            how = tuple(AWAY)[each % len(AWAY)]
            wait_for(lambda: all(looker.seen for looker in lookers), "lists")
            sku = chance.choice(sorted(lookers[0].seen[-1][1]))
            take_away(stage, sku, how)
            gone = time.monotonic()
            wait_for(lambda gone=gone: len(since(lookers, gone)) >= REPLIES, "replies", seconds=120)
            found = since(lookers, gone)
            assert not (leaks := sum(sku in skus for skus in found)), f"{leaks} lists with a product that is {how}"
            assert all(len(skus) == EDGES for skus in found), f"lists of {sorted({len(skus) for skus in found})}"
            replies += len(found)
            put_back(stage, sku)
            back = time.monotonic()
            wait_for(lambda back=back, sku=sku: any(sku in skus for skus in since(lookers, back)), f"{sku} again")
            shown += 1  # the control: the readers do see that product while it may be shown
    finally:
        for looker in lookers:
            looker.end()
    assert not (failures := [told for looker in lookers for told in looker.failures]), f"lists failed: {failures[:3]}"
    stage.said(stage.reader, "PERSONAL")
    return {"replies": replies, "leaks": 0, "seen_again": shown, "control": "fires"}


def since(lookers: list[Looker], moment: float) -> list[frozenset[str]]:
    return [skus for looker in lookers for began, skus in list(looker.seen) if began >= moment]


def take_away(stage: Stage, sku: str, how: str) -> None:
    columns = AWAY[how]
    if columns is None:
        changed(stage, DELETE, {"s": [sku]})
    else:
        changed(stage, UPSERT, {"p": [product(sku, **columns)]})


def put_back(stage: Stage, sku: str) -> None:
    changed(stage, UPSERT, {"p": [product(sku, **BACK)]})


def product(sku: str, **columns: Any) -> dict[str, Any]:
    number = int(sku[1:])
    return {"sku": sku, "title": f"Thing {number}", "category": [f"Shelf {number % 8}"], **columns}


def changed(stage: Stage, document: str, variables: dict[str, Any]) -> None:
    wrong, data = stage.reader.post(document, variables)
    assert not wrong, f"the catalogue was not changed: {wrong}"
    (answer,) = data.values()
    assert (answer["stored"], answer["rejected"]) == (1, []), answer
