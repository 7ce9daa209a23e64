"""One training at a time, however many workers ask at once, whatever their clocks say, and whoever wakes up late."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from threading import Event as Signal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from shop_reco.recommendations import services
from shop_reco.recommendations.errors import RunCancelledError
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.recommendations.services import runs
from tests.threads import at_once

KINDS = ("popularity", "item_cf", "user_cf", "content", "trending", "buy_again", "behaviour_mlp", "content_mlp")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")


@pytest.fixture
def queued(transactional_db):
    services.ensure_recommenders()
    return [services.request_training(kind=kind) for kind in KINDS]


@pytest.fixture
def frozen(queued):
    """A run as the worker knows it that claimed it, was frozen past its lease, and wakes up now; and whose it is."""
    before = services.claim_next_run(owner=uuid.uuid4())
    TrainingRun.objects.filter(pk=before.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    return before, services.claim_next_run(owner=uuid.uuid4())


def test_of_many_workers_who_claim_at_once_one_gets_a_run(queued):
    got = at_once(*[lambda: services.claim_next_run(owner=uuid.uuid4())] * 4)
    assert len([run for run in got if run is not None]) == 1
    assert TrainingRun.objects.filter(state="running").count() == 1
    assert TrainingRun.objects.get(state="running").attempts == 1


@on_postgresql
def test_who_waited_for_the_row_that_another_one_claims_does_not_take_its_worker_for_dead(queued):
    claimed, second = Signal(), Signal()

    def slow():
        with transaction.atomic():
            run = services.claim_next_run(owner=uuid.uuid4())
            claimed.set()
            second.wait(10)
            time.sleep(0.5)  # the other one waits by now
        return run

    def quick():
        claimed.wait(10)
        second.set()
        return services.claim_next_run(owner=uuid.uuid4())

    run, other = at_once(slow, quick)
    assert other is None
    run.refresh_from_db()
    assert (run.attempts, run.log) == (1, "")


@on_postgresql
@pytest.mark.parametrize("ahead", [dt.timedelta(hours=1), -dt.timedelta(hours=1)])
def test_a_worker_whose_clock_is_wrong_takes_no_run_from_one_that_lives(queued, monkeypatch, ahead):
    run = services.claim_next_run(owner=uuid.uuid4())
    now = timezone.now
    monkeypatch.setattr(runs.timezone, "now", lambda: now() + ahead)
    assert services.claim_next_run(owner=uuid.uuid4()) is None
    services.renew_lease(run=run)
    monkeypatch.undo()
    assert services.claim_next_run(owner=uuid.uuid4()) is None


def version_of(run: TrainingRun) -> ModelVersion:
    return ModelVersion.objects.create(run=run, recommender_id=run.recommender_id, manifest_sha256="0" * 64, size=1)


@pytest.mark.parametrize(
    "write",
    [
        lambda run: services.beat_heart(run=run, phase="training", progress=0.5),
        lambda run: services.renew_lease(run=run),
        lambda run: services.skip_run(run=run, why="late"),
        lambda run: services.fail_run(run=run, why="late"),
        lambda run: services.give_back(run=run, why="late"),
        lambda run: services.keep_cleaning_report(run=run, report={"rules": [], "late": True}),
        lambda run: services.promote(run=run, version=version_of(run)),
        lambda run: services.refuse(run=run, version=version_of(run), why="late"),
    ],
    ids=["heartbeat", "lease", "skip", "fail", "give back", "report", "promote", "refuse"],
)
def test_who_wakes_up_after_another_one_took_over_writes_nothing(frozen, write):
    before, mine = frozen
    assert mine.pk == before.pk
    kept = TrainingRun.objects.filter(pk=mine.pk).values().get()
    try:
        with transaction.atomic():
            write(before)
    except RunCancelledError:
        pass
    assert TrainingRun.objects.filter(pk=mine.pk).values().get() == kept
    assert not ModelVersion.objects.exists()
    services.renew_lease(run=mine)  # and whoever took over goes on
