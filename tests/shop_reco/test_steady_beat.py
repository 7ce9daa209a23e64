"""The schedule goes on when the clock of the machine is set back, and while the database is away."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django_celery_beat import schedulers
from django_celery_beat.models import PeriodicTask

from shop_reco import steady_beat
from shop_reco.celery import app
from shop_reco.steady_beat import SteadyEntry, SteadyScheduler

SWEEP, MINUTELY, HOUR = "Sweep training runs", "Draw portraits with news", dt.timedelta(hours=1)


@pytest.fixture
def scheduler(db, monkeypatch):
    """A scheduler that publishes nothing, and keeps what it would have."""
    monkeypatch.setattr(schedulers, "close_old_connections", lambda: None)
    PeriodicTask.objects.exclude(name=SWEEP).update(enabled=False)  # they may be due at any minute
    made = SteadyScheduler(app=app)
    made.published = []
    monkeypatch.setattr(made, "apply_entry", lambda entry, producer=None: made.published.append(entry.name))
    yield made
    made._dirty.clear()


def test_a_task_whose_last_time_lies_ahead_is_due_after_its_interval(db):
    task = PeriodicTask.objects.get(name=SWEEP)
    task.last_run_at = timezone.now() + HOUR
    due, wait = SteadyEntry(task, app=app).is_due()
    assert not due
    assert 4 < wait <= 5


def test_a_nightly_task_whose_last_time_lies_ahead_is_due_on_its_next_night(db):
    task = PeriodicTask.objects.get(name="Train all recommenders")
    task.last_run_at = timezone.now() + 30 * HOUR
    due, wait = SteadyEntry(task, app=app).is_due()
    assert not due
    assert wait <= 86_400


def test_a_clock_that_was_set_back_an_hour_stops_nothing(scheduler):
    PeriodicTask.objects.filter(name=SWEEP).update(last_run_at=timezone.now())
    scheduler.tick()
    scheduler._seen += HOUR.total_seconds()
    scheduler._heap = [each._replace(time=each.time + HOUR.total_seconds()) for each in scheduler._heap]
    PeriodicTask.objects.filter(name=SWEEP).update(last_run_at=timezone.now() - dt.timedelta(seconds=6))
    scheduler.tick()
    assert scheduler.published == [SWEEP]


@pytest.fixture
def away(monkeypatch):
    """Errors that the next looks at the schedule's tables raise, one each."""
    errors, read = [], SteadyScheduler.enabled_models

    def enabled_models(self):
        if errors:
            raise errors.pop(0)
        return read(self)

    monkeypatch.setattr(SteadyScheduler, "enabled_models", enabled_models)
    monkeypatch.setattr(steady_beat.connection, "close", lambda: None)  # it is the test's own
    monkeypatch.setattr(steady_beat, "PAUSE", 0.0)
    return errors


def test_beat_waits_at_its_start_until_the_database_answers(db, away):
    away += [OperationalError("the database system is shutting down"), InterfaceError("connection already closed")]
    scheduler = SteadyScheduler(app=app)
    assert not away
    assert SWEEP in scheduler.schedule


def test_beat_goes_on_by_what_it_knows_and_reads_anew_once_it_can(scheduler, away):
    known = set(scheduler.schedule)
    PeriodicTask.objects.filter(name=MINUTELY).update(enabled=True)
    scheduler._last_full_sync = dt.datetime.min  # as five minutes later
    away.append(OperationalError("connection refused"))
    assert set(scheduler.schedule) == known
    assert set(scheduler.schedule) == known | {MINUTELY}
