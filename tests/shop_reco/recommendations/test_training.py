"""A training run that cannot succeed says why."""

from __future__ import annotations

from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next


def test_training_an_empty_shop_fails_with_a_reason(db):
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "nothing to learn from" in run.why
