"""Whichever process is asked answers for all of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROCESS = """
from shop_reco import measures
measures.refused("GONE")
measures.slates_waiting({waiting})
if {told}:
    print(measures.exposition([])[0].decode())
"""


@pytest.fixture
def process(tmp_path):
    folder = tmp_path / "not made yet"

    def run(waiting, told, folder=str(folder)):
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": folder, "PYTHONPATH": os.pathsep.join(sys.path)}
        code = PROCESS.format(waiting=waiting, told=told)
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_what_a_process_counted_outlives_it_and_what_it_had_waiting_does_not(process):
    process(waiting=5, told=False)
    told = process(waiting=2, told=True)
    assert 'shop_reco_refusals_total{code="GONE"} 2.0' in told
    assert "shop_reco_slates_waiting 2.0" in told


def test_without_a_folder_a_process_tells_its_own_and_leaves_nothing(process, tmp_path):
    assert 'shop_reco_refusals_total{code="GONE"} 1.0' in process(waiting=2, told=True, folder="")
    assert list(tmp_path.iterdir()) == []
