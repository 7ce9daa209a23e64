"""A run in a process of its own, as the worker that started it sees it."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import uuid

import pytest
from django.utils import timezone

from shop_reco.recommendations.models import TrainingRun
from shop_reco.recommendations.services import claim_next_run, request_training
from shop_reco.recommendations.training import run_next, running

HOUR = dt.timedelta(hours=1)


class Child:
    """A process that does something to its run at each look, and ends after the last."""

    returncode = 0

    def __init__(self, *looks):
        self.looks = list(looks)

    def poll(self):
        if not self.looks:
            return 0
        self.looks.pop(0)()
        return None


@pytest.fixture
def children(settings, monkeypatch):
    """Whoever is put in here is the next child."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TRAINING_PROCESS": True}
    monkeypatch.setattr(running, "LOOK", 0.0)
    waiting = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **more: waiting.pop(0))
    return waiting


def set_run(**columns):
    return lambda: TrainingRun.objects.update(**columns)


def test_the_lease_of_a_child_that_takes_long_to_start_is_renewed_for_it(shop, children):
    request_training(kind="popularity")
    ended = set_run(lease_until=timezone.now() - HOUR)
    children.append(Child(ended))
    leases = []
    children[0].looks.append(lambda: leases.append(TrainingRun.objects.get().lease_until))
    run_next()
    assert leases[0] > timezone.now()


def test_one_that_has_begun_keeps_its_lease_itself_or_loses_it(shop, children):
    request_training(kind="popularity")
    ended = timezone.now() - HOUR
    children.append(Child(set_run(phase="training", lease_until=ended), lambda: None))
    leases = []
    children[0].looks.append(lambda: leases.append(TrainingRun.objects.get().lease_until))
    run_next()
    assert leases == [ended]


def test_a_run_that_was_cancelled_while_its_child_starts_stays_cancelled(shop, children):
    request_training(kind="popularity")
    children.append(Child(set_run(state="cancelled")))
    assert run_next().state == "cancelled"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't start new thread"), ImportError("x.so: Cannot allocate memory")]
)
def test_whoever_finds_no_memory_the_run_says_so(shop, monkeypatch, error):
    def fails(*args):
        raise error

    monkeypatch.setattr(running, "fit", fails)
    request_training(kind="popularity")
    assert run_next().why == "out of memory"


def test_a_limit_of_memory_holds_while_it_fits_and_not_for_what_is_told_after(shop, monkeypatch):
    before, meanwhile = resource.getrlimit(resource.RLIMIT_DATA), []
    monkeypatch.setattr(running, "fit", lambda *args: meanwhile.append(resource.getrlimit(resource.RLIMIT_DATA)[0]))
    request_training(kind="popularity")
    running.fit_claimed(claim_next_run(owner=uuid.uuid4()), memory_mb=4000)
    assert meanwhile == [4000 * 2**20]
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
