"""Ten megabytes sent to a door are refused before they are read into memory."""

from __future__ import annotations

import httpx
import pytest

from benchmarks.fault_rows.odd_values import RISE, risen

from .live_shop import free_port

pytestmark = pytest.mark.faults


def test_ten_megabytes_of_search_text_are_refused_and_cost_no_memory(live):
    port = free_port()
    found = risen(live.serve(port), port)
    assert found["statuses"].keys() <= {"413", "hung up"}
    assert "413" in found["statuses"]
    assert found["MB"] <= RISE
    assert httpx.get(f"http://127.0.0.1:{port}/health/").status_code == 200
