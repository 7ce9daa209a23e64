"""Learning is from scratch, from any data that makes sense, and comes to the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.artifacts import save
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders.registry import BUILT_IN, create
from tests.reco_engine.conftest import AT, DAY, HISTORY


def test_the_same_data_seed_and_instant_give_the_same_bytes(model, fit, tmp_path):
    assert save(model, tmp_path / "a").sha256 == save(fit(), tmp_path / "b").sha256


def test_the_order_of_the_rows_does_not_matter(model, fit, rows, tmp_path):
    order = np.random.default_rng(3).permutation(len(rows["users"]))
    shuffled = fit(Interactions.from_arrays(**{name: column[order] for name, column in rows.items()}))
    assert save(shuffled, tmp_path / "a").sha256 == save(model, tmp_path / "b").sha256


def test_a_refit_forgets_what_it_learned_before(model, kind, data, tmp_path):
    twice = create(kind).fit(Interactions.from_arrays([1, 2], [0, 1]), data[1], seed=3)
    twice.score([History([0])])
    twice.explain(History([0]), 1)
    twice.fit(*data, seed=7, at=AT)
    np.testing.assert_array_equal(twice.score([HISTORY], at=AT), model.score([HISTORY], at=AT))
    assert twice.explain(HISTORY, 5, at=AT) == model.explain(HISTORY, 5, at=AT)
    assert save(twice, tmp_path / "twice").sha256 == save(model, tmp_path / "fresh").sha256


def test_a_history_scored_before_a_refit_is_read_anew_after_it(kind, data):
    history = History([0, 3])
    twice = create(kind).fit(Interactions.from_arrays([1, 2, 2], [0, 0, 1]), data[1], seed=3)
    twice.score([history], at=AT)
    twice.fit(*data, seed=7, at=AT)
    np.testing.assert_array_equal(twice.score([history], at=AT), twice.score([History([0, 3])], at=AT))


def test_rows_that_come_twice_count_as_their_summed_weight(kind, model, fit, rows):
    halves = {name: np.concatenate([column, column]) for name, column in rows.items()}
    if kind != "buy_again":  # counts days: two lines of one day are one taking
        halves["weights"] = halves["weights"] / 2
    doubled = fit(Interactions.from_arrays(**halves))
    np.testing.assert_allclose(doubled.score([HISTORY], at=AT), model.score([HISTORY], at=AT), rtol=1e-4, atol=1e-5)


def test_users_are_told_apart_by_what_they_took_and_not_by_their_names(model, fit, rows):
    renamed = fit(Interactions.from_arrays(**{**rows, "users": [f"user {n:03}" for n in rows["users"]]}))
    np.testing.assert_array_equal(renamed.score([HISTORY], at=AT), model.score([HISTORY], at=AT))


def test_one_user_is_enough_to_learn_from(fit):
    lonely = fit(Interactions.from_arrays([1, 1, 1], [0, 1, 2], [0, DAY, 2 * DAY]))
    assert not np.isinf(lonely.score([HISTORY, History([1]), History([])], at=AT)).any()


def test_one_interaction_is_enough_to_learn_from(fit):
    barely = fit(Interactions.from_arrays([1], [4]))
    assert not np.isinf(barely.score([HISTORY, History([4]), History([])], at=AT)).any()


def test_users_who_are_all_alike_can_be_learned_from(fit):
    users, items = np.repeat(np.arange(8), 3), np.tile([0, 1, 2], 8)
    alike = fit(Interactions.from_arrays(users, items, np.tile([0, DAY, 2 * DAY], 8)))
    scores = alike.score([History([0]), History([0, 1, 2])], at=AT)
    assert not np.isinf(scores).any()
    for item in alike.item_ids[:3].tolist():
        assert all(np.isfinite(reason.points) for reason in alike.explain(History([0]), item, at=AT))


def test_data_without_dates_can_be_learned_from(fit, rows):
    undated = fit(Interactions.from_arrays(rows["users"], rows["items"]), at=None)
    scores = undated.score([History([3, 7])])
    assert np.isfinite(scores).any()
    assert not np.isinf(scores).any()


def test_interactions_of_the_future_make_no_score_infinite_or_disappear(fit, rows):
    early = fit(Interactions.from_arrays(**rows), at=30 * DAY)  # two thirds of them are later
    scores = early.score([HISTORY], at=30 * DAY)
    assert np.isfinite(scores).any()
    assert not np.isinf(scores).any()


def test_weights_that_are_all_zero_are_nothing_to_learn_from(kind, fit, rows):
    idle = Interactions.from_arrays(**{**rows, "weights": np.zeros(len(rows["users"]))})
    if kind == "content":
        assert not np.isinf(fit(idle).score([HISTORY], at=AT)).any()  # it has the catalogue
    else:
        with pytest.raises(BadInputError, match="empty"):
            fit(idle)


@pytest.mark.parametrize("nothing", sorted(BUILT_IN.keys() - {"content"}))
def test_nothing_to_learn_from_is_told(nothing, data):
    with pytest.raises(BadInputError, match="empty"):
        create(nothing).fit(Interactions.from_arrays([], []), data[1])


@pytest.mark.parametrize("made_of", ["content", "content_mlp"])
def test_a_recommender_of_content_asks_for_a_catalogue(made_of, data):
    with pytest.raises(BadInputError, match="catalogue"):
        create(made_of).fit(data[0], None)


@pytest.mark.parametrize("behaviour", sorted(BUILT_IN.keys() - {"content", "content_mlp"}))
def test_a_recommender_of_behaviour_needs_no_catalogue(behaviour, data, fitted):
    alone = create(behaviour).fit(data[0], None, seed=7, at=AT)
    np.testing.assert_array_equal(alone.score([HISTORY], at=AT), fitted(behaviour).score([HISTORY], at=AT))
