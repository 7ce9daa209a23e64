"""A training that was frozen past its lease, and taken over, writes nothing when it wakes."""

from __future__ import annotations

import os
import signal

import pytest

from . import postgresql
from .live_shop import LiveShop, wait_for

pytestmark = pytest.mark.faults
KEPT = (
    "select id, state, phase, progress, attempts, owner, why, log from reco_recommendations_trainingrun order by id",
    "select id, cleaning from reco_recommendations_trainingrun order by id",
    "select id, run_id, recommender_id, state, promoted_at from reco_recommendations_modelversion order by id",
    "select id, version_id, went_live, decided_at from reco_recommendations_promotion order by id",
    "select run_id, event from reco_recommendations_cleaningexample order by run_id, event",
    "select shopper_id, rule, evidence_key from reco_events_shopperflag order by 1, 2, 3",
)
"""What a training writes."""


@pytest.fixture
def live(tmp_path):
    server = postgresql.server()
    if not server:
        pytest.skip("PostgreSQL DID NOT RUN: nothing answers, and TEST_DATABASE_URL names none")
    shop = LiveShop(tmp_path, server=server)
    yield shop
    shop.end()


def kept(live):
    return [[tuple(map(str, row)) for row in live.rows(sql)] for sql in KEPT]


def runs(live):
    sql = "select state, phase, attempts from reco_recommendations_trainingrun order by id"
    return live.rows(sql)


def freeze(live, pids):
    """Stop them where none of them is in a transaction, whose locks it would keep."""
    for _ in range(50):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        sql = "select 1 from pg_stat_activity where datname = current_database() and state like '%in transaction%'"
        if not live.rows(sql):
            return
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    raise AssertionError("they were in a transaction each time")


def test_who_was_frozen_past_its_lease_writes_nothing_when_it_wakes(live):
    first = live.worker(epochs=1_000_000)
    live.train("behaviour_mlp")
    wait_for(lambda: runs(live)[-1:] == [("running", "training", 1)], "the first training", seconds=180)
    (training,) = live.trainings()
    freeze(live, [first.pid, training])

    live.worker(epochs=2)
    live.train("behaviour_mlp")  # which asks for the same run
    wait_for(lambda: runs(live)[-1][0] == "done", "the run that was taken over", seconds=180)
    assert runs(live)[-1][2] == 2
    before = kept(live)

    for pid in (training, first.pid):
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: training not in live.trainings(), "the end of the training that was frozen", seconds=60)
    assert kept(live) == before
