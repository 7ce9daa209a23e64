"""Learning the chance of a repeat."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.recommenders import repeat_fit
from reco_engine.recommenders.habits import days_of, habits_of
from reco_engine.recommenders.quadratic import chances, products_of
from reco_engine.recommenders.repeat_fit import belief, learnt
from reco_engine.recommenders.repeat_items import repeat_items
from tests.reco_engine.conftest import DAY

HALF_LIVES = np.asarray([7.0, 90.0])


def shop(n_users, days_of_item, weight=1.0):
    """Each user takes each item on the days given."""
    lines = [(user, item, day) for user in range(n_users) for item, days in days_of_item.items() for day in days]
    users, items, days = zip(*lines, strict=True)
    return Interactions.from_arrays(users, items, np.asarray(days) * DAY, np.full(len(lines), weight))


def chance_of(chance, features):
    return chances(products_of((features - chance.means) / chance.deviations) @ chance.weights)


def test_before_any_data_five_fresh_days_make_even_odds():
    features = np.zeros((1, 6))
    features[0, 1] = np.log(5.0 + 0.01)
    assert chance_of(belief(HALF_LIVES), features).tolist() == pytest.approx([0.5])


def test_the_belief_is_the_same_however_features_are_standardised(monkeypatch):
    monkeypatch.setattr(repeat_fit, "PRIOR", 1e9)
    data = shop(30, {"milk": range(0, 90, 5), "pan": [3], "tea": range(0, 90, 20)})
    found = learnt(data, HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    features = np.random.default_rng(2).normal(size=(5, 6))
    np.testing.assert_allclose(chance_of(found, features), chance_of(belief(HALF_LIVES), features), rtol=1e-3)


def test_learns_from_whether_each_habit_known_at_the_cut_was_taken_after_it(monkeypatch):
    seen = {}

    def caught(columns, outcomes, prior, strength):
        seen.update(columns=columns, outcomes=outcomes)
        return np.zeros(columns.shape[1])

    monkeypatch.setattr(repeat_fit, "fit_logistic", caught)
    learnt(shop(2, {"milk": [0, 50, 90], "pan": [10]}), HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    assert seen["outcomes"].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_a_mere_look_counts_as_much_as_it_weighs(monkeypatch):
    seen = {}
    monkeypatch.setattr(repeat_fit, "fit_logistic", lambda columns, outcomes, *_: seen.update(y=outcomes) or columns[0])
    learnt(shop(1, {"milk": [0, 90]}, weight=0.3), HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    assert seen["y"].tolist() == [0.3]


def test_shoppers_who_never_came_back_teach_nothing(monkeypatch):
    gone = Interactions.from_arrays([1, 2], ["milk", "milk"], [0, 90 * DAY])
    found = learnt(gone, HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found.weights, belief(HALF_LIVES).weights)


def test_of_each_shopper_only_the_strongest_habits_are_learnt_from(monkeypatch):
    seen = {}
    monkeypatch.setattr(repeat_fit, "MOST_HABITS", 1)
    monkeypatch.setattr(repeat_fit, "fit_logistic", lambda columns, outcomes, *_: seen.update(y=outcomes) or columns[0])
    learnt(shop(3, {"milk": [0, 50, 90], "pan": [0]}), HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    assert seen["y"].tolist() == [1.0, 1.0, 1.0]


def test_a_learnt_chance_is_near_the_share_that_came_back():
    data = shop(200, {"milk": range(0, 100, 7), "bread": range(0, 100, 10), "pan": [3], "lamp": [60]})
    found = learnt(data, HALF_LIVES, horizon=20.0, rng=np.random.default_rng(0))
    assert found.weights.size == 1 + 6 + 21
    cut = 98.0 - 20.0
    ages = [cut - np.arange(0, cut, 7), cut - np.arange(0, cut, 10), np.asarray([cut - 3]), np.asarray([cut - 60])]
    lines = days_of(
        np.repeat(np.arange(4), [each.size for each in ages]),
        np.concatenate(ages),
        np.ones(sum(each.size for each in ages)),
        n_pairs=4,
    )
    everybody = np.repeat(np.arange(4), 200)
    shoppers = days_of(
        np.arange(800).repeat(np.asarray([each.size for each in ages])[everybody]),
        np.concatenate([ages[item] for item in everybody]),
        np.ones(sum(ages[item].size for item in everybody)),
        n_pairs=800,
    )
    items = repeat_items(shoppers, everybody, 4)
    milk, bread, pan, lamp = chance_of(found, np.hstack([habits_of(lines, HALF_LIVES), items]))
    assert min(milk, bread) > 0.9
    assert max(pan, lamp) < 0.1
