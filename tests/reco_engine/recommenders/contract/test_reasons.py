"""Reasons are the score: its terms, and nothing beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History
from reco_engine.reasons import explained
from tests.reco_engine.conftest import AT, DAY, HISTORY

LONG = History([n % 30 for n in range(60)], [n * DAY for n in range(60)], [1.0 + n % 3 for n in range(60)])


@pytest.mark.parametrize("history", [HISTORY, History([7]), History([]), LONG], ids=["some", "one", "none", "long"])
def test_reasons_sum_to_the_score(model, history):
    (scores,) = model.score([history], at=AT)
    for place, score in enumerate(scores.astype(float)):
        reasons = model.explain(history, model.item_ids[place].item(), at=AT)
        points = [reason.points for reason in reasons]
        size = math.fsum(map(abs, points))  # where terms cancel, float32 scores are as exact as their terms
        assert math.fsum(points) == pytest.approx(0.0 if math.isnan(score) else score, rel=1e-6, abs=1e-6 * size)


def test_an_item_without_an_opinion_has_no_reasons(model):
    (scores,) = model.score([History([])], at=AT)
    for place in np.flatnonzero(np.isnan(scores)):
        assert model.explain(History([]), model.item_ids[place].item(), at=AT) == ()


@pytest.mark.parametrize("stranger", [-5, 99_999, "no such item"])
def test_an_unknown_item_has_no_reasons(model, stranger):
    assert model.explain(HISTORY, stranger, at=AT) == ()


def test_what_is_said_of_the_shopper_is_in_the_history(model):
    kinds = {"history_item", "feature", "repeat"}
    for item in model.item_ids.tolist():
        for reason in model.explain(HISTORY, item, at=AT):
            assert set(reason.evidence) <= set(HISTORY.items)
            assert reason.kind not in kinds or reason.evidence


def test_a_page_is_explained_as_its_items_are_one_by_one(model):
    items = model.item_ids[[0, 3, 7]].tolist()
    for each in explained(model, HISTORY, items, at=AT, most=99):
        alone = {(r.kind, r.evidence): r.points for r in model.explain(HISTORY, each.item_id, at=AT)}
        told = {(r.kind, r.evidence): r.points for r in each.reasons if r.kind != "remainder"}
        assert told == pytest.approx({key: alone[key] for key in told})


def test_an_unknown_item_on_a_page_has_no_points(model):
    known = model.item_ids[3].item()
    beside, stranger = explained(model, HISTORY, [known, "no such item"], at=AT)
    (alone,) = explained(model, HISTORY, [known], at=AT)
    assert (stranger.score, stranger.reasons) == (pytest.approx(0.0), ())
    assert beside.score == pytest.approx(alone.score, rel=1e-9)
    assert [(reason.kind, reason.evidence) for reason in beside.reasons] == [
        (reason.kind, reason.evidence) for reason in alone.reasons
    ]


def test_the_same_question_has_the_same_answer(model):
    item = model.item_ids[5].item()
    again = History(list(HISTORY.items), list(HISTORY.timestamps), list(HISTORY.weights))
    assert model.explain(again, item, at=AT) == model.explain(HISTORY, item, at=AT)
