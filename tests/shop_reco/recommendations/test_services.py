"""Toggles, feedback, training runs and roll backs count at once."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils import timezone

from shop_reco.recommendations import serving
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.recommendations.services import claim_next_run, give_feedback, request_training, roll_back, set_enabled
from shop_reco.recommendations.training import run_next
from tests.shop_reco.conftest import skus


def test_a_refused_product_never_comes_back(trained, person):
    first = serving.recommend_for(shopper=person, first=5).edges[0].product
    give_feedback(shopper=person, product=first, kind="not_interested")
    assert first.sku not in skus(serving.recommend_for(shopper=person, first=36))


def test_a_switched_off_recommender_gives_no_reason_in_the_next_list(trained, person):
    set_enabled(kind="user_cf", enabled=False)
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" not in kinds
    set_enabled(kind="user_cf", enabled=True)
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" in kinds


def test_a_dead_workers_run_is_taken_over_and_the_live_version_stays(trained):
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    dead = claim_next_run(owner=uuid.uuid4())
    assert run_next() is None
    TrainingRun.objects.filter(pk=dead.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert ModelVersion.objects.get(recommender="popularity", state="live") == live
    assert run_next().state == "done"
    assert ModelVersion.objects.get(recommender="popularity", state="live") != live


def test_rolling_back_makes_the_earlier_version_live(trained):
    first = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    run_next()
    assert roll_back(kind="popularity") == first
    assert ModelVersion.objects.get(recommender="popularity", state="live") == first


def test_a_message_delivered_again_after_its_run_ended_trains_nothing_more(trained):
    asked = request_training(kind="popularity", ticket="one message")
    run_next()
    assert request_training(kind="popularity", ticket="one message") == asked
    assert run_next() is None
    request_training(kind="popularity", ticket="another message")
    assert run_next().state == "done"
