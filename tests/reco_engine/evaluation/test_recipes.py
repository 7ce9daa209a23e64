"""A recipe makes what it says, each time anew."""

from __future__ import annotations

import pytest

from reco_engine.evaluation.gate import Recipe
from reco_engine.recommenders import ItemCF


def test_it_makes_a_new_one_each_time():
    recipe = Recipe("item_cf", {"n_targets": 7})
    first, second = recipe(), recipe()
    assert isinstance(first, ItemCF)
    assert first.n_targets == 7
    assert first is not second


def test_the_hybrid_is_made_of_the_parts_it_names():
    hybrid = Recipe("hybrid", {"item_cf": {"n_targets": 7}, "popularity": {}})()
    assert list(hybrid.parts) == ["item_cf", "popularity"]
    assert hybrid.parts["item_cf"].n_targets == 7


def test_two_of_the_same_settings_are_equal():
    assert Recipe("item_cf", {"n_targets": 7}) == Recipe("item_cf", {"n_targets": 7}) != Recipe("item_cf")


@pytest.mark.parametrize(("recipe", "error"), [(Recipe("x"), KeyError), (Recipe("item_cf", {"x": 1}), TypeError)])
def test_what_is_not_on_the_shelf_cannot_be_made(recipe, error):
    with pytest.raises(error):
        recipe()
