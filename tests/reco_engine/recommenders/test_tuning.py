"""Settings left open are chosen by what they find."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.recommenders import ItemCF
from reco_engine.recommenders.tuning import searched


def test_the_search_climbs_to_the_best_point_and_measures_none_twice():
    measured = []

    def hill(settings):
        measured.append(tuple(settings.values()))
        return -((settings["x"] - 3) ** 2) - (settings["y"] - 1) ** 2

    best = searched(hill, {"x": 0, "y": 0}, {"x": (0, 1, 2, 3, 4), "y": (0, 1, 2)})
    assert best == {"x": 3, "y": 1}
    assert len(measured) == len(set(measured)) <= 2 * (5 + 3)


def test_a_setting_that_was_given_is_not_searched_for():
    rng = np.random.default_rng(0)
    interactions = Interactions.from_arrays(rng.integers(0, 120, 2000), rng.integers(0, 40, 2000))
    model = ItemCF(activity=None, source_exponent=0.5, target_exponent=None).fit(interactions)
    assert model.source_exponent_ == 0.5
    assert (model.activity, model.target_exponent) == (None, None)
    assert 0 <= model.activity_ <= 1


def test_too_little_data_to_choose_by_keeps_the_usual_exponents():
    model = ItemCF(activity=None).fit(Interactions.from_arrays([1, 1, 2], ["a", "b", "a"]))
    assert model.activity_ == pytest.approx(0.5)
