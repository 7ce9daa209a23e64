"""Ten megabytes sent to a door are refused before they are read into memory."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.faults
MEGABYTE = 1_000_000
SEARCH = "query($s: String!) { products(search: $s) { edges { cursor } } }"


def resident(process):
    """Bytes of memory that a process and its children use."""
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[2]) == process.pid:
            pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE")


def post(client, path, body, content_type):
    """The status; None where the server hung up on a body that it had refused already."""
    headers = {"Content-Type": content_type, "Origin": str(client.base_url).rstrip("/")}
    try:
        return client.post(path, content=body, headers=headers).status_code
    except httpx.TransportError:
        return None


def test_ten_megabytes_of_search_text_are_refused_and_cost_no_memory(live):
    client = live.web()
    process = live.running[-1]
    large = json.dumps({"query": SEARCH, "variables": {"s": "x" * 10 * MEGABYTE}}).encode()
    event = {"id": "00000000-0000-4000-8000-000000000000", "type": "SEARCH", "query": "x" * 10 * MEGABYTE}
    doors = (("/graphql/", large, "application/json"), ("/events/beacon/", json.dumps([event]).encode(), "text/plain"))
    for path, body, kind in doors:  # what any first request loads is no part of the measure
        assert post(client, path, body[:200_000], kind) == 400
    before, highest, stop = resident(process), [0], threading.Event()

    def watch():
        while not stop.is_set():
            highest[0] = max(highest[0], resident(process))
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses = {post(client, path, body, kind) for path, body, kind in doors for _ in range(5)}
    stop.set()
    watcher.join()
    assert statuses <= {413, None}
    assert 413 in statuses
    assert highest[0] - before <= 20 * MEGABYTE
    assert client.get("/health/").status_code == 200
