"""A process that lives is not yet one that is ready; a damaged model makes it no less so."""

from __future__ import annotations

import shutil

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from shop_reco.monitoring import health
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.serving import recommend_for


@pytest.fixture(autouse=True)
def new_process():
    health.readiness.forget()
    yield
    health.readiness.forget()


def test_alive_asks_nothing_of_any_database(client):  # a query would fail: the test has no database
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_shop_before_its_first_training_is_ready(shop, client):
    checks = {"database": "ok", "migrations": "ok", "models": "ok", "artifacts": "ok"}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": checks})


def test_many_probes_are_one_look_a_second(trained, client, django_assert_num_queries):
    client.get("/health/ready")
    with django_assert_num_queries(0):
        client.get("/health/ready")
    health.readiness._until = 0
    with django_assert_num_queries(2):  # SELECT 1, and the state row
        client.get("/health/ready")


def test_a_damaged_model_is_told_and_lists_go_on(trained, person, client, settings):
    (version,) = ModelVersion.objects.filter(recommender="item_cf", state="live")
    (settings.SHOP_RECO["ARTIFACTS_ROOT"] / version.public_id.hex / "manifest.json").write_text("{}")
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["checks"]["models"]) == ("degraded", "degraded")
    assert len(recommend_for(shopper=person, first=5).edges) == 5


def test_artifacts_that_went_away_are_told_and_lists_go_on(trained, person, client, settings):
    shutil.rmtree(settings.SHOP_RECO["ARTIFACTS_ROOT"])
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["artifacts"]) == (200, "degraded")
    assert recommend_for(shopper=person, first=5).rung == "NEWEST"


def test_a_database_that_does_not_answer_is_the_one_check_that_is_told(client, monkeypatch):
    def fail():
        raise OperationalError("canary of a password")

    monkeypatch.setattr(health, "database", fail)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing", "checks": {"database": "failing"}})
    assert client.get("/health/live").status_code == 200


def test_a_migration_that_is_missing_makes_it_wait(db, client):
    MigrationRecorder.Migration.objects.filter(app="reco_events").latest("pk").delete()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "ok", "migrations": "failing"})


def test_who_asks_while_another_looks_gets_the_answer_before(trained, client):
    client.get("/health/ready")
    health.readiness._until = 0
    with health.readiness._lock:
        assert client.get("/health/ready").status_code == 200
