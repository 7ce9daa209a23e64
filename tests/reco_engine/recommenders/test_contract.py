"""What every recommender on the shelf promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.artifacts import save
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.reasons import explained
from reco_engine.recommenders.registry import BUILT_IN, create
from tests.reco_engine.conftest import AT, HISTORY


@pytest.fixture(scope="module", params=BUILT_IN)
def model(request, data):
    return create(request.param).fit(*data, seed=7, at=AT)


def test_reasons_sum_to_the_score(model):
    (scores,) = model.score([HISTORY], at=AT)
    opinions = np.flatnonzero(~np.isnan(scores))
    assert opinions.size
    for place in opinions:
        reasons = model.explain(HISTORY, model.item_ids[place].item(), at=AT)
        total = math.fsum(reason.points for reason in reasons)
        assert total == pytest.approx(float(scores[place]), rel=1e-5, abs=1e-6)


def test_scoring_some_items_equals_scoring_all_of_them(model):
    (whole,) = model.score([HISTORY], at=AT)
    wanted = model.item_ids[::3].tolist()
    (some,) = model.score([HISTORY], items=[*wanted, -5], at=AT)
    np.testing.assert_allclose(some[:-1], whole[::3], rtol=1e-5, atol=1e-6)
    assert np.isnan(some[-1])


def test_the_same_data_and_seed_give_the_same_bytes(model, data, tmp_path):
    again = create(model.name).fit(*data, seed=7, at=AT)
    assert save(model, tmp_path / "a").sha256 == save(again, tmp_path / "b").sha256


def test_an_empty_history_is_answered(model):
    (scores,) = model.score([History([])], at=AT)
    assert not np.isinf(scores).any()


def test_a_page_is_explained_as_its_items_are_one_by_one(model):
    items = model.item_ids[[0, 3, 7]].tolist()
    page = explained(model, HISTORY, items, at=AT, most=99)
    for each in page:
        alone = {(r.kind, r.evidence): r.points for r in model.explain(HISTORY, each.item_id, at=AT)}
        told = {(r.kind, r.evidence): r.points for r in each.reasons if r.kind != "remainder"}
        assert told == pytest.approx({key: alone[key] for key in told})


def test_an_unknown_item_has_no_score_and_no_reasons(model):
    assert np.isnan(model.score([HISTORY], items=[-5], at=AT)).all()
    assert model.explain(HISTORY, -5, at=AT) == ()


def test_one_user_is_enough_to_learn_from_and_gives_finite_scores(model, data):
    lonely = create(model.name).fit(Interactions.from_arrays([1, 1, 1], [0, 1, 2], [0, 1, 2]), data[1], seed=0)
    assert not np.isinf(lonely.score([HISTORY, History([1])], at=AT)).any()


def test_a_refit_forgets_what_it_learnt_before(model, data, tmp_path):
    fresh = create(model.name).fit(*data, seed=7, at=AT)
    twice = create(model.name).fit(Interactions.from_arrays([1, 2], [0, 1]), data[1], seed=3)
    twice.score([History([0])])
    twice.fit(*data, seed=7, at=AT)
    assert save(twice, tmp_path / "twice").sha256 == save(fresh, tmp_path / "fresh").sha256
    np.testing.assert_array_equal(twice.score([HISTORY], at=AT), fresh.score([HISTORY], at=AT))


@pytest.mark.parametrize("kind", sorted(BUILT_IN.keys() - {"content"}))
def test_nothing_to_learn_from_is_told(kind, data):
    with pytest.raises(BadInputError, match="empty"):
        create(kind).fit(Interactions.from_arrays([], []), data[1])


@pytest.mark.parametrize("kind", ["content", "content_mlp"])
def test_a_recommender_of_content_asks_for_a_catalogue(kind, data):
    with pytest.raises(BadInputError, match="catalogue"):
        create(kind).fit(data[0], None)
