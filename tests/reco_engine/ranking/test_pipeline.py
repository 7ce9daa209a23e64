"""From scores to a list."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.interactions import History
from reco_engine.ranking import Blend, Hybrid, recommend
from reco_engine.reasons import explained
from reco_engine.recommenders import Popularity
from reco_engine.recommenders.registry import create
from tests.reco_engine.conftest import AT, HISTORY


@pytest.fixture(scope="module")
def hybrid(data):
    parts = {name: create(name).fit(*data, at=AT) for name in ("popularity", "item_cf", "user_cf", "content")}
    return Hybrid(parts, Blend.default(dict.fromkeys(parts, 1.0)))


def test_what_was_seen_is_not_recommended(data):
    model = Popularity().fit(*data)
    (ranking,) = recommend(model, [History([1, 2, 3])], n=30)
    assert not {1, 2, 3} & set(ranking.item_ids)
    assert len(ranking.item_ids) == 27


def test_a_hybrid_list_says_why_and_leaves_out_what_must_not_be_shown(hybrid):
    allowed = hybrid.item_ids % 2 == 0
    ranking = hybrid.rank(HISTORY, 8, allowed=allowed, exclude={4}, at=AT)
    assert len(ranking.item_ids) == 8
    assert all(item % 2 == 0 and item != 4 for item in ranking.item_ids)
    assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    for each, score in zip(explained(hybrid, HISTORY, ranking.item_ids, at=AT), ranking.scores, strict=True):
        assert each.score == pytest.approx(score, rel=1e-5)
        assert math.fsum(reason.points for reason in each.reasons) == pytest.approx(each.score, rel=1e-6)


def test_a_part_that_takes_no_part_contributes_no_reason(hybrid):
    some = hybrid.taking_part({"popularity"})
    ranking = some.rank(HISTORY, 5, at=AT)
    reasons = [reason for each in explained(some, HISTORY, ranking.item_ids, at=AT) for reason in each.reasons]
    assert {reason.source for reason in reasons} == {"popularity"}


def test_a_hybrid_without_any_part_gives_an_empty_list(hybrid):
    assert hybrid.taking_part(()).rank(HISTORY, 5, at=AT).item_ids == ()


def test_fitting_a_hybrid_fits_its_parts_and_their_weights(data):
    model = Hybrid({name: create(name) for name in ("popularity", "item_cf")}).fit(*data, at=AT)
    (scores,) = model.score([HISTORY], at=AT)
    assert len(scores) == 30
    assert model.blend.weights_[:, 2].sum() == pytest.approx(1.0)  # that of 10 to 99 events, which all users have


def test_a_history_of_nothing_is_ranked_by_popularity(hybrid):
    (popular,) = recommend(hybrid.parts["popularity"], [History([])], n=5)
    assert hybrid.rank(History([]), 5, at=AT).item_ids == popular.item_ids
