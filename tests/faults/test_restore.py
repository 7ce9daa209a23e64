"""A backup taken while the shop writes is whole, and whoever was erased since it is erased again."""

from __future__ import annotations

import pytest

from benchmarks.fault_rows.backup import ERASED, restored

pytestmark = pytest.mark.faults


def test_erased_shoppers_are_erased_again_and_acknowledged_events_are_all_there(tmp_path):
    found = restored(tmp_path, "", events=0, rounds=1, seed=5)
    assert (found["lost"], found["erased_again"], found["control"]) == (0, len(ERASED), "fires")
