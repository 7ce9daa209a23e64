"""User-based CF, by hand."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import UserCF


def test_nearest_shopper_by_cosine_by_hand():
    # u1 = {a, b}, u2 = {c}: to a history of {a} the cosines are 1/sqrt(2) and 0
    interactions = Interactions.from_arrays(["u1", "u1", "u2"], ["a", "b", "c"])
    model = UserCF(popularity_exponent=0).fit(interactions)
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
