"""A training run that cannot succeed says why."""

from __future__ import annotations

from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next


def test_training_an_empty_shop_fails_with_a_reason(db):
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "nothing to learn from" in run.why


def test_a_version_keeps_what_its_fit_found(trained):
    live = {each.recommender_id: each.figures["settings"] for each in ModelVersion.objects.filter(state="live")}
    assert {"activity", "n_targets", "half_life"} <= live["item_cf"].keys()
    assert "min_support" not in live["item_cf"]
    assert live["user_cf"]["n_neighbours"] == 400
    assert live["trending"] == {}
