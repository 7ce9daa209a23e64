"""/metrics tells how the shop goes, to whoever has the token, and names nobody."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from shop_reco.events.models import DirtyShopper, StreamPosition
from shop_reco.events.services import track
from shop_reco.monitoring import metrics, selectors
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.recommendations.services import request_training
from shop_reco.users.services import decide_consent
from tests.shop_reco.graphql import LIST, ask

TOKEN = "a token of some length"


@pytest.fixture(autouse=True)
def no_count_is_kept():
    selectors.cache.clear()


@pytest.fixture
def scraped(client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "METRICS_TOKEN": TOKEN}

    def scrape():
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = [line.rpartition(" ") for line in answer.content.decode().splitlines() if line[0] != "#"]
        return {name: float(value) for name, _space, value in lines}

    return scrape


def test_without_a_token_in_the_settings_there_is_no_such_address(client):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer a token of some lengt", TOKEN, f"Basic {TOKEN}", "Bearer é"])
def test_without_the_token_in_the_request_nothing_is_told(client, settings, given):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "METRICS_TOKEN": TOKEN}
    answer = client.get("/metrics", headers={"Authorization": given})
    assert (answer.status_code, answer.content) == (401, b"send the token\n")


def test_the_age_of_what_serves_and_of_what_it_has_seen(trained, scraped):
    versions = ModelVersion.objects.filter(recommender="item_cf")
    newest = timezone.now() - dt.timedelta(days=20)
    versions.update(promoted_at=timezone.now() - dt.timedelta(hours=1), watermark=newest)
    told = scraped()
    assert told['shop_reco_version_age_seconds{recommender="item_cf"}'] == pytest.approx(3600, abs=60)
    assert told['shop_reco_version_data_age_seconds{recommender="item_cf"}'] == pytest.approx(20 * 86400, abs=60)
    # Each of 30 shoppers bought something 18 and 11 days ago, less some minutes.
    assert told['shop_reco_events_not_learnt{recommender="item_cf"}'] == 60
    assert told['shop_reco_events_not_learnt{recommender="content"}'] == 0


def test_events_that_no_training_may_use_are_not_missed_by_it(trained, person, scraped):
    track(shopper=person, type="view_item", product=trained.products["Soap-1"])
    assert scraped()['shop_reco_events_not_learnt{recommender="item_cf"}'] == 1
    decide_consent(shopper=person, decisions={"training": False}, source="test")
    assert scraped()['shop_reco_events_not_learnt{recommender="item_cf"}'] == 0


def test_trainings_that_wait_run_and_ended(trained, scraped):
    request_training(kind="content")
    run = request_training(kind="item_cf")
    late = timezone.now() - dt.timedelta(minutes=5)
    TrainingRun.objects.filter(pk=run.pk).update(state="running", phase="training", progress=0.25, lease_until=late)
    ended = TrainingRun.objects.get(recommender="user_cf").finished_at
    told = scraped()
    assert told['shop_reco_runs_unfinished{recommender="content",state="queued"}'] == 1
    assert told['shop_reco_run_progress{phase="training",recommender="item_cf"}'] == 0.25
    assert told['shop_reco_run_lease_seconds{recommender="item_cf"}'] == pytest.approx(-300, abs=60)
    age = (timezone.now() - ended).total_seconds()
    assert told['shop_reco_last_run_age_seconds{recommender="user_cf",state="done"}'] == pytest.approx(age, abs=60)


def test_portraits_that_wait(shop, scraped):
    n = DirtyShopper.objects.count()
    assert n > 0
    assert scraped()["shop_reco_dirty_shoppers"] == n


def test_how_far_a_stream_was_read(db, scraped):
    old = timezone.now() - dt.timedelta(minutes=3)
    for partition, (at, end) in enumerate([(7, 9), (4, 4)]):
        StreamPosition.objects.create(
            source="kafka", topic="events", partition=partition, next_offset=at, end_offset=end, new=3, rejected=1,
            seen_at=old,
        )  # fmt: skip
    told = scraped()
    assert told['shop_reco_stream_lag{topic="events"}'] == 2
    assert told['shop_reco_stream_silent_seconds{topic="events"}'] == pytest.approx(180, abs=60)
    assert told['shop_reco_stream_messages{outcome="accepted",topic="events"}'] == 6
    assert told['shop_reco_stream_messages{outcome="rejected",topic="events"}'] == 2


def test_how_long_beat_has_published_nothing(db, scraped):
    PeriodicTask.objects.update(last_run_at=None)
    assert "shop_reco_beat_silent_seconds" not in scraped()
    for minutes, task in zip((5, 9), PeriodicTask.objects.filter(enabled=True)[:2], strict=True):
        last = timezone.now() - dt.timedelta(minutes=minutes)
        PeriodicTask.objects.filter(pk=task.pk).update(last_run_at=last)
    assert scraped()["shop_reco_beat_silent_seconds"] == pytest.approx(300, abs=60)


def test_a_scrape_asks_eight_questions_one_of_them_once_in_five_minutes(trained, scraped, django_assert_num_queries):
    with django_assert_num_queries(8):
        scraped()
    with django_assert_num_queries(7):
        scraped()


def test_a_database_that_is_down_leaves_the_figures_of_the_process(db, scraped, monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(metrics, "shop_figures", fail)
    told = scraped()
    assert told["shop_reco_database_up"] == 0
    assert any(name.startswith("shop_reco_response_seconds_count") for name in told)


def test_labels_are_words_of_ours(trained, client, scraped):
    request_training(kind="content")
    client.get("/search/", {"q": "canary"})
    ask(client, LIST, {"n": 5}, **{"X-Shopper": "canary"})
    ask(client, "{ canary }")
    for name in scraped():
        for value in re.findall(r'="([^"]*)"', name):
            assert re.fullmatch(r"[a-z_]{2,20}|[A-Z_]{2,32}|\d{3}|\d+\.\d+|[0-9.e+]+|\+Inf", value), name
        assert "canary" not in name
