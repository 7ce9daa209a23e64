"""A worker goes on when the database does not take what a task returned."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django_celery_results.models import TaskResult

from shop_reco.celery import app
from shop_reco.steady_results import SteadyResults


@pytest.fixture
def backend(db, monkeypatch):
    monkeypatch.setattr(connection, "close", lambda: None)
    return SteadyResults(app=app)


def test_what_a_task_returned_is_stored(backend):
    backend.store_result("one", 7, "SUCCESS")
    assert TaskResult.objects.get(task_id="one").status == "SUCCESS"


def test_a_database_that_is_away_costs_the_result_and_nothing_else(backend, monkeypatch):
    def away(*args, **more):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(type(TaskResult._default_manager), "store_result", away)
        backend.store_result("one", 7, "SUCCESS")
    assert not TaskResult.objects.exists()


def test_it_is_what_the_project_uses():
    assert isinstance(app.backend, SteadyResults)
