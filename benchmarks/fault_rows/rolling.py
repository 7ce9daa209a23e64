"""Two web processes that are restarted by turns, as a new release is rolled out, while shoppers go on."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults.live_shop import LIST, LiveShop, free_port, kill

from .clients import Told, words

CLIENTS, RESTARTS = 4, 20
PATIENCE = 30.0
"""Seconds that a process has to end by itself."""
FAILED = "failed"


class Balancer:
    """Clients who ask both processes by turns; where one takes no connection they ask the other, as a proxy does."""

    def __init__(self, ports: list[int], key: str) -> None:
        self.turns, self.key, self.told = itertools.cycle(ports), key, list[Told]()
        self.ports, self.ended, self.guard = ports, threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._go_on, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def said(self, since: float = 0.0) -> dict[str, int]:
        return words([each for each in list(self.told) if each.began >= since])

    def _go_on(self, number: int) -> None:
        while not self.ended.is_set():
            began = time.monotonic()
            word = self._ask(f"h{number}")
            self.told.append(Told(began, time.monotonic() - began, word))
            self.ended.wait(0.01)

    def _ask(self, shopper: str) -> str:
        connection = self._connected()
        if connection is None:
            return "both refused"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "X-Shopper": shopper}
        try:
            connection.request("POST", "/graphql/", json.dumps({"query": LIST}), {**headers, "Connection": "close"})
            reply = connection.getresponse()
            told = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"{FAILED}: {type(error).__name__}"
        finally:
            connection.close()
        return "answered" if reply.status == 200 and "errors" not in told else f"{FAILED}: {reply.status}"

    def _connected(self) -> http.client.HTTPConnection | None:
        with self.guard:
            first = next(self.turns)
        for port in (first, *(other for other in self.ports if other != first)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                continue
            return connection
        return None


def restarted(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """SIGTERM, and a new process once the old one has ended; each request is answered. In the control it is SIGKILL."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = LiveShop(folder, server=server)
    try:
        ports = [free_port(), free_port()]
        webs = {port: shop.serve(port) for port in ports}
        balancer, took = Balancer(ports, shop.key), []
        try:
            for port in itertools.islice(itertools.cycle(ports), restarts := min(RESTARTS, max(2, rounds))):
                time.sleep(0.3)
                began = time.monotonic()
                end(webs[port])
                took.append(time.monotonic() - began)
                webs[port] = shop.serve(port)
            said = balancer.said()
            assert set(said) == {"answered"}, f"in {restarts} restarts: {said}"
            control = torn(shop, webs, balancer)
        finally:
            balancer.end()
        return {"restarts": restarts, "slowest_end_s": round(max(took), 2), "requests": said, "control": control}
    finally:
        shop.end()


def end(web: subprocess.Popen[bytes]) -> None:
    """As whoever runs the process ends it: one signal to the first process, and a while to finish what is asked."""
    os.kill(web.pid, signal.SIGTERM)
    web.wait(PATIENCE)


def torn(shop: LiveShop, webs: dict[int, subprocess.Popen[bytes]], balancer: Balancer) -> str:
    since = time.monotonic()
    for _ in range(5):
        for port, web in list(webs.items()):
            kill(web, signal.SIGKILL)
            webs[port] = shop.serve(port)
            if any(word.startswith(FAILED) for word in balancer.said(since)):
                return "fires"
    raise AssertionError("the probe does not see a request that was torn off")
