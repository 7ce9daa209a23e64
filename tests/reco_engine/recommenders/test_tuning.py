"""Settings left open are chosen by what they find."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.recommenders import ItemCF, UserCF
from reco_engine.recommenders.tuning import searched


def test_the_search_climbs_to_the_best_point_and_measures_none_twice():
    measured = []

    def hill(settings):
        measured.append(tuple(settings.values()))
        return np.full(9, -float((settings["x"] - 3) ** 2) - (settings["y"] - 1) ** 2)

    best = searched(hill, {"x": 0, "y": 0}, {"x": (1, 2, 3, 4), "y": (1, 2)})
    assert best == {"x": 3, "y": 1}
    assert len(measured) == len(set(measured)) <= 2 * (4 + 2) + 1


def test_a_gain_that_chance_explains_moves_nothing():
    chance = np.asarray([1.0, -0.9] * 50)  # mean .05, standard error about .095
    assert searched(lambda at: at["x"] * chance, {"x": 0}, {"x": (1,)}) == {"x": 0}
    assert searched(lambda at: at["x"] * np.abs(chance), {"x": 0}, {"x": (1,)}) == {"x": 1}


def test_a_setting_that_was_given_is_not_searched_for():
    rng = np.random.default_rng(0)
    interactions = Interactions.from_arrays(rng.integers(0, 120, 2000), rng.integers(0, 40, 2000))
    model = ItemCF(activity=None, source_exponent=0.45, target_exponent=None).fit(interactions)
    assert model.source_exponent_ == 0.45
    assert (model.activity, model.target_exponent) == (None, None)
    assert 0 <= model.activity_ <= 1


def test_too_little_data_to_choose_by_keeps_the_usual_settings():
    model = ItemCF().fit(Interactions.from_arrays([1, 1, 2], ["a", "b", "a"]))
    assert (model.activity_, model.target_exponent_, model.spectral_weight_) == (0.5, 0.3, 0.0)


def test_recency_is_searched_for_where_there_are_dates():
    """What a shopper takes next goes with their newest item alone: a short memory must be chosen."""
    rng = np.random.default_rng(1)
    users, items, times = [], [], []
    for user in range(400):
        topics = rng.integers(0, 8, 4)
        for step, topic in enumerate([*topics, topics[-1], topics[-1]]):
            fresh = rng.integers(0, 12, 3) + 12 * topic
            users += [user] * 3
            items += fresh.tolist()
            times += [(10.0 + 30 * step) * 86_400] * 3
    model = ItemCF(0.5, 0.5, 0.3, half_life=180.0, spectral_weight=0.0).fit(
        Interactions.from_arrays(users, items, times)
    )
    assert model.history_half_life_ == pytest.approx(15.0)


@pytest.mark.parametrize("recommender", [ItemCF, UserCF])
def test_a_search_says_that_it_is_alive_and_ends_when_it_is_told_to(recommender):
    class Stop(Exception):
        pass

    rng = np.random.default_rng(0)
    interactions = Interactions.from_arrays(rng.integers(0, 120, 2000), rng.integers(0, 40, 2000))
    heard = []

    def progress(done, loss=None):
        heard.append(done)
        if len(heard) == 3:
            raise Stop

    with pytest.raises(Stop):
        recommender().fit(interactions, progress=progress)
    assert heard == [0.0, 0.0, 0.0]
