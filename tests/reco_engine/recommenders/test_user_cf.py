"""User-based CF, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import UserCF
from tests.reco_engine.conftest import AT, HISTORY


def test_nearest_shopper_by_cosine_by_hand():
    # u1 = {a, b}, u2 = {c}: to a history of {a} the cosines are 1/sqrt(2) and 0
    interactions = Interactions.from_arrays(["u1", "u1", "u2"], ["a", "b", "c"])
    model = UserCF(popularity_exponent=0, target_exponent=0).fit(interactions)
    users, cosines = model.neighbours(History(["a"]))
    assert users.tolist() == [0]
    assert cosines == pytest.approx([1 / math.sqrt(2)])


def test_a_predicted_rating_is_the_mean_of_the_neighbours_ratings():
    interactions = Interactions.from_arrays([1, 1, 2, 2], ["a", "b", "a", "b"], ratings=[5, 2, 5, 4])
    model = UserCF().fit(interactions)
    assert model.predict_rating(History(["a"]), "b") == pytest.approx(3.0)


def test_a_reason_says_how_many_shoppers_stand_behind_it():
    interactions = Interactions.from_arrays([1, 1, 2, 2, 3, 3], ["a", "b", "a", "b", "a", "c"])
    (reason,) = UserCF().fit(interactions).explain(History(["a"]), "b")
    assert (reason.kind, reason.shoppers) == ("similar_shoppers", 2)


def test_an_erased_shopper_is_nobodys_neighbour_at_once_and_the_stored_model_is_untouched():
    interactions = Interactions.from_arrays([1, 1, 2, 2], ["a", "b", "a", "c"])
    model = UserCF().fit(interactions)
    history = History(["a"])
    before = model.score([history], items=["b", "c"])[0]
    after = model.without([2, 99]).score([history], items=["b", "c"])[0]
    assert (before > 0).all()
    assert after[0] == before[0]
    assert after[1] == 0
    np.testing.assert_array_equal(model.score([history], items=["b", "c"])[0], before)


def test_neighbours_are_those_of_brute_force(data):
    model = UserCF(n_neighbours=7, popularity_exponent=0, half_life=1e9, history_half_life=1e9).fit(data[0], at=AT)
    stored = np.sqrt(data[0].matrix().toarray())
    mine = np.zeros(data[0].n_items)
    mine[[3, 7, 11]] = np.sqrt([1.0, 0.5, 1.0])
    cosines = stored @ mine / (np.linalg.norm(stored, axis=1) * np.linalg.norm(mine))
    users, found = model.neighbours(HISTORY, AT)
    assert found == pytest.approx(np.sort(cosines)[::-1][:7], rel=1e-5)
    assert cosines[users] == pytest.approx(found, rel=1e-5)


def test_a_very_popular_item_is_looked_up_in_a_bounded_number_of_takers():
    """All 30 took item 0; it is the largest part of what those took who took nothing else."""
    users = [*range(30), *range(10, 30), *range(10, 30)]
    items = [0] * 30 + list(range(1, 21)) + [99] * 20
    model = UserCF(popularity_exponent=0, max_takers=10).fit(Interactions.from_arrays(users, items))
    assert model.neighbours(History([0]))[0].tolist() == list(range(10))
    assert model.neighbours(History([5]))[0].tolist() == [14]


def test_few_takers_are_summed_as_many_are(data, monkeypatch):
    model = UserCF().fit(data[0], at=AT)
    by_table = model.neighbours(History([3, 7]), AT)
    monkeypatch.setattr("reco_engine.recommenders.user_cf.SORTING", 0)
    by_sorting = model.neighbours(History([3, 7]), AT)
    for one, other in zip(by_table, by_sorting, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_too_few_neighbours_took_scores_as_what_none_took():
    rows = [(user, item) for user in range(4) for item in ("a", "b")] + [(0, "rare"), (1, "some"), (2, "some")]
    rows += [("other", "unseen")]
    users, items = zip(*((str(user), item) for user, item in rows), strict=True)
    interactions = Interactions.from_arrays(users, items)
    given = {"n_neighbours": 10, "popularity_exponent": 0.0, "target_exponent": 0.0, "activity": 0.0}
    fixed = {**given, "half_life": 100.0, "history_half_life": 100.0}
    one, two = (UserCF(**fixed, min_support=least).fit(interactions) for least in (1, 2))
    history = History(["a", "b"])
    asked = ["rare", "some", "unseen"]
    assert (one.score([history], asked)[0] > 0).tolist() == [True, True, False]
    assert (two.score([history], asked)[0] > 0).tolist() == [False, True, False]
    assert two.explain(history, "rare") == ()
    (reason,) = two.explain(history, "some")
    assert reason.shoppers == 2
    assert one.explain(history, "rare")[0].shoppers == 1
