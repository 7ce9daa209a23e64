"""The mix of a working day, for locust: 70% lists, 25% events, 5% the rest, to several web processes.

``benchmarks.load`` and ``benchmarks.deployment`` run it; by hand:
``LOAD_PORTS=8000 LOAD_KEY=... locust -f benchmarks/load_mix.py --headless --users 8 --run-time 60s``.
A connection that breaks is tried at the other processes, as a load balancer does; events are sent again with their
ids until they are acknowledged. Each request is a line of ``LOAD_TOLD``, each acknowledged event one of
``LOAD_ACKNOWLEDGED``.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from pathlib import Path
from typing import Any, TextIO

from locust import FastHttpUser, task

from benchmarks.ingest_clients import DOCUMENT, event

PORTS = [int(port) for port in os.environ.get("LOAD_PORTS", "8000").split(",")]
KEY = os.environ.get("LOAD_KEY", "")
SHOPPERS, PRODUCTS = int(os.environ.get("LOAD_SHOPPERS", 2000)), int(os.environ.get("LOAD_PRODUCTS", 2000))
PER_SECOND = float(os.environ.get("LOAD_PER_SECOND", 1.0))
"""Requests of one user."""
PATIENCE, PAUSE, MOST_BEHIND = 20.0, 0.2, 5.0
LIST = (
    "query { recommendations(first: 20) "
    "{ slateId rung edges { score node { id sku title } reasons { kind text points } } } }"
)
SEARCH = "query($text: String!) { products(search: $text, first: 20) { edges { node { id title } } } }"
SIMILAR = "query($id: ID!) { similarProducts(product: $id, first: 10) { edges { node { id } } } }"
PORTRAIT = "query { portrait { interests { key weight } } }"


def opened(name: str) -> TextIO:
    return Path(os.environ.get(name, os.devnull)).open("a", buffering=1)


told, acknowledged = opened("LOAD_TOLD"), opened("LOAD_ACKNOWLEDGED")


class LostError(Exception):
    """No process answered in time."""


class Shopping(FastHttpUser):
    """A server of the shop that asks on behalf of its shoppers."""

    host = f"http://127.0.0.1:{PORTS[0]}"
    network_timeout = connection_timeout = PATIENCE

    def on_start(self) -> None:
        self.chance = random.Random(uuid.uuid4().hex)
        self.seen = ""
        self.due = time.time()

    def wait_time(self) -> float:
        """Seconds until the next request. People come at random: at one pace, all users would ask at once for ever."""
        self.due = max(self.due, time.time() - MOST_BEHIND) + self.chance.expovariate(PER_SECOND)
        return max(0.0, self.due - time.time())

    @task(70)
    def list(self) -> None:
        data = self.ask("list", LIST, {}, self.somebody())
        edges = data.get("recommendations", {}).get("edges", [])
        if edges:
            self.seen = self.chance.choice(edges)["node"]["id"]

    @task(25)
    def events(self) -> None:
        sent = [event(self.chance, SHOPPERS, PRODUCTS) for _ in range(self.chance.choice((1, 1, 5, 20)))]
        answer = self.ask("events", DOCUMENT, {"events": sent}).get("trackEvents", {})
        if answer and answer["accepted"] + answer["duplicates"] == len(sent):
            acknowledged.write("".join(each["id"] + "\n" for each in sent))

    @task(2)
    def search(self) -> None:
        self.ask("search", SEARCH, {"text": f"Thing {self.chance.randrange(PRODUCTS)}"})

    @task(2)
    def similar(self) -> None:
        if self.seen:
            self.ask("similar", SIMILAR, {"id": self.seen})

    @task(1)
    def portrait(self) -> None:
        self.ask("portrait", PORTRAIT, {}, self.somebody())

    def somebody(self) -> str:
        return f"h{self.chance.randrange(SHOPPERS)}"

    def ask(self, name: str, query: str, variables: dict[str, Any], shopper: str = "") -> dict[str, Any]:
        """The data of the answer; empty where it failed. Its time counts from the first try to the answer."""
        began, tries, word = time.time(), 0, ""
        headers = {"Authorization": f"Bearer {KEY}", **({"X-Shopper": shopper} if shopper else {})}
        ports = self.chance.sample(PORTS, len(PORTS))
        data: dict[str, Any] = {}
        while time.time() - began < PATIENCE:
            url = f"http://127.0.0.1:{ports[tries % len(ports)]}/graphql/"
            tries += 1
            with self.client.post(
                url, json={"query": query, "variables": variables}, headers=headers, name=name, catch_response=True
            ) as reply:
                status, word = reply.status_code, ""
                if status == 0:
                    word = "no answer"
                    reply.failure(word)
                    time.sleep(PAUSE if tries % len(ports) == 0 else 0.0)
                    continue
                answer = _json(reply)
                if errors := answer.get("errors"):
                    word = f"{status} {errors[0].get('extensions', {}).get('code', 'without a code')}"
                    reply.failure(word)
                elif status != 200:
                    word = f"{status}"
                elif name == "list" and not answer["data"]["recommendations"]["edges"]:
                    word = "empty"
                data = answer.get("data") or {}
            break
        took = 1000 * (time.time() - began)
        told.write(json.dumps([round(began, 3), name, round(took, 1), tries, word]) + "\n")
        return data


def _json(reply: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = reply.json()
    except ValueError:  # a page of the proxy or of the server, in place of an answer
        return {}
    return found
