"""The writer of served lists and its connection."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.serving import slates


@pytest.fixture
def written(monkeypatch, settings):
    """What a buffer writes, and how often its connection was closed; nothing reaches a database."""
    told = SimpleNamespace(batches=[], closed=0)

    def close():
        told.closed += 1

    settings.SHOP_RECO = {**settings.SHOP_RECO, "SLATE_BUFFER": 10}
    monkeypatch.setattr(slates, "connection", SimpleNamespace(close=close, close_if_unusable_or_obsolete=lambda: None))
    monkeypatch.setattr(slates, "_keep", lambda batch: told.batches.append([slate.pk for slate in batch]))
    monkeypatch.setattr(slates, "QUIET", 0.3)
    return told


def until(come):
    deadline = time.monotonic() + 10
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_lists_that_follow_each_other_share_a_connection_that_is_given_back_in_a_quiet_moment(written):
    buffer = slates.SlateBuffer()
    for n in range(3):
        buffer.put(Slate(pk=f"00000000-0000-0000-0000-00000000000{n}"))
        until(lambda n=n: len(written.batches) == n + 1)
    assert written.closed == 0
    until(lambda: written.closed == 1)
    buffer.put(Slate(pk="00000000-0000-0000-0000-000000000009"))
    until(lambda: len(written.batches) == 4)
    until(lambda: written.closed == 2)
