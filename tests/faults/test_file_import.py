"""A file import that is killed, again and again, ends like one that was left alone."""

from __future__ import annotations

import datetime as dt
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import postgresql
from .planting import ROOT, environment_of, plant

pytestmark = pytest.mark.faults
N_ROWS, BAD = 10_000, range(50, 10_000, 777)
KILLS = 2
TOTALS = re.compile(r"(\d+) rows read: (\d+) new, (\d+) stored before, (\d+) rejected")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def environment(request, tmp_path):
    """Of processes with a database of their own."""
    if request.param == "SQLite":
        yield environment_of(tmp_path, "", {})
        return
    server = postgresql.server()
    if not server:
        pytest.skip("PostgreSQL DID NOT RUN: nothing answers, and TEST_DATABASE_URL names none")
    database = postgresql.created(server)
    yield environment_of(tmp_path, database, {})
    postgresql.drop(database)


def write_orders(path):
    at = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=20)
    lines = ["shopper,sku,type,occurred_at"]
    for n in range(N_ROWS):
        twin = n - (n % 3 == 1)  # every third row says what the one before it said, and is an event all the same
        sku = "none" if n in BAD else f"p{twin % 200}"
        lines.append(f"h{twin % 150},{sku},purchase,{(at + dt.timedelta(seconds=twin)).isoformat()}")
    path.write_text("\n".join(lines) + "\n")


def test_killed_at_random_moments_it_stores_what_a_clean_run_stores(environment, tmp_path):
    plant(environment)
    path, chance = tmp_path / "orders.csv", random.Random(7)
    write_orders(path)
    command = [sys.executable, str(ROOT / "manage.py"), "import_events", str(path), "--source", "till"]
    # how long a whole run takes is found on the way: the first is killed soon after the first batch
    killed, wait = 0, 0.2
    while True:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if killed < KILLS:
            waited = wait_for_rows(environment, process, chance.uniform(0, wait))
            if waited and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
        said, errors = process.communicate(timeout=120)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    assert killed > 0
    assert "went on after row" in said
    assert TOTALS.search(said).groups() == (str(N_ROWS), str(N_ROWS - len(BAD)), "0", str(len(BAD)))
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert TOTALS.search(again.stdout).groups() == (str(N_ROWS), "0", str(N_ROWS - len(BAD)), str(len(BAD)))
    cut, whole = (tmp_path / f"orders.errors{n}.csv" for n in ("", ".2"))
    assert cut.read_bytes() == whole.read_bytes()


def wait_for_rows(environment, process, more):
    """Until the import has gone on by a batch, and ``more`` seconds; False where it ended before."""
    path = Path(environment["DEMO_DIR"]) / "orders.errors.csv"
    before, deadline = size(path), time.monotonic() + 60
    while size(path) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(more)
    return process.poll() is None


def size(path):
    return path.stat().st_size if path.exists() else 0
