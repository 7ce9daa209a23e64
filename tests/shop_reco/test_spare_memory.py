"""What a task needed for a moment is the system's again after it."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest
from celery import shared_task

from shop_reco import spare_memory

MB = 2**20


def own_bytes() -> int:
    return 1024 * int(re.findall(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[0])


@shared_task
def needs_much() -> list[bytes]:
    """A hundred megabytes that are free when it ends, and a byte above them that is not."""
    much = [bytes(1000) for _ in range(100_000)]
    kept = [bytes(1000) for _ in range(1000)]
    del much
    return kept


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(spare_memory, "_last", float("-inf"))


@pytest.mark.skipif(
    not (Path("/proc/self/status").exists() and hasattr(ctypes.CDLL(None), "malloc_trim")),
    reason="the C library is not asked for free memory here",
)
def test_a_task_leaves_its_process_about_as_large_as_it_found_it(at_once, monkeypatch):
    before = own_bytes()
    kept = needs_much.apply().get()
    assert own_bytes() - before < 20 * MB
    # and it was this that did it: within a minute of the last time nothing is given back
    more = needs_much.apply().get()
    assert own_bytes() - before > 80 * MB
    assert len(kept) == len(more) == 1000


@pytest.mark.django_db
def test_a_connection_in_use_stays_open(at_once, shop):
    needs_much.apply()
    assert shop.products["Tea-1"].title == "Tea 1"
    shop.products["Tea-1"].refresh_from_db()
