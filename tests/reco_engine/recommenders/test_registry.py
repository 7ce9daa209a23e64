"""The shelf, and what a fit found."""

from __future__ import annotations

import json

import pytest

from reco_engine.recommenders.registry import BUILT_IN, create, found_settings, open_settings
from tests.reco_engine.conftest import AT, HISTORY


def test_what_was_left_open_is_told_and_what_was_given_is_not(data):
    model = create("item_cf", activity=0.5, n_targets=7).fit(*data, at=AT)
    found = found_settings(model)
    assert found["target_exponent"] == model.target_exponent_
    assert not found.keys() & {"activity", "n_targets", "n_factors"}


def test_a_learnt_array_or_a_setting_of_another_name_is_no_setting(data):
    assert found_settings(create("popularity").fit(*data, at=AT)) == {}
    assert found_settings(create("trending").fit(*data, at=AT)) == {}


def test_what_was_never_fitted_found_nothing():
    assert found_settings(create("user_cf")) == {}


@pytest.mark.parametrize("kind", BUILT_IN)
def test_one_made_with_what_was_found_is_the_same_and_has_nothing_left_to_find(kind, data, fitted):
    model = fitted(kind)
    found = json.loads(json.dumps(found_settings(model)))
    settings = {name: value for name, value in vars(model).items() if not name.endswith("_") and name[0] != "_"}
    again = create(kind, **{**settings, **found}).fit(*data, seed=7, at=AT)
    assert found_settings(again) == {}
    assert again.score([HISTORY], at=AT).tobytes() == model.score([HISTORY], at=AT).tobytes()


def test_settings_left_open_are_those_that_a_fit_chooses():
    assert open_settings(create("item_cf", activity=0.5)) == [
        "half_life", "history_half_life", "n_targets", "source_exponent", "spectral_weight", "target_exponent",
    ]  # fmt: skip
    assert open_settings(create("popularity")) == []
