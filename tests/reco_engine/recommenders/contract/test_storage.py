"""A model is its settings and its learned arrays: what is written is what comes back, and nothing else is kept."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import typing

import numpy as np
import pytest

from reco_engine.artifacts import load, save
from reco_engine.data.interactions import History
from reco_engine.ranking import recommend
from reco_engine.recommenders.registry import BUILT_IN, class_of, create
from tests.reco_engine.conftest import AT, HISTORY

NUMBERS = (bool, int, float, str, np.generic)


@pytest.fixture(params=BUILT_IN)
def shelf(request):
    """The class alone: nothing is fitted."""
    return class_of(request.param)


def learned(owner):
    return [field for field in dataclasses.fields(owner) if field.name.endswith("_")]


def chosen(owner):
    return [field for field in dataclasses.fields(owner) if not field.name.endswith("_")]


def test_a_model_scores_and_explains_from_disk_to_the_bit(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    back = load(tmp_path / "a", sha256=manifest.sha256)
    histories = [HISTORY, History([]), History([1, 1, 2])]
    fresh = History(list(HISTORY.items), list(HISTORY.timestamps), list(HISTORY.weights))
    np.testing.assert_array_equal(back.score(histories, at=AT), model.score(histories, at=AT))
    assert recommend(back, histories, 5, at=AT) == recommend(model, histories, 5, at=AT)
    for item in model.item_ids.tolist():
        assert back.explain(fresh, item, at=AT) == model.explain(HISTORY, item, at=AT)


def test_a_model_from_disk_is_written_as_the_same_bytes(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    assert save(load(tmp_path / "a"), tmp_path / "b").sha256 == manifest.sha256


def test_settings_come_back_from_disk(model, tmp_path):
    save(model, tmp_path / "a")
    back = load(tmp_path / "a")
    for field in chosen(model):
        assert getattr(back, field.name) == getattr(model, field.name)


def test_what_was_learned_is_arrays_and_numbers(model):
    for field in learned(model):
        value = getattr(model, field.name)
        assert isinstance(value, (np.ndarray, *NUMBERS)), field.name
        assert not np.asarray(value).dtype.hasobject, field.name


def test_settings_are_plain_json(model):
    settings = {field.name: getattr(model, field.name) for field in chosen(model)}
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings


def test_nothing_is_kept_on_the_side(model):
    # What starts with an underscore is made anew from the learned arrays whenever it is missing.
    declared = {field.name for field in dataclasses.fields(model)}
    assert {name for name in vars(model) if not name.startswith("_")} <= declared


def test_what_is_kept_in_private_is_made_anew_when_it_is_missing(kind, data):
    model = create(kind).fit(*data, seed=7, at=AT)
    before = model.score([HISTORY], at=AT)
    for name in [name for name in vars(model) if name.startswith("_")]:
        delattr(model, name)
    np.testing.assert_array_equal(model.score([History(*_columns())], at=AT), before)


def _columns():
    return list(HISTORY.items), list(HISTORY.timestamps), list(HISTORY.weights)


def test_fields_say_whether_they_are_chosen_or_learned(shelf):
    assert dataclasses.is_dataclass(shelf)
    assert all(not field.init and not field.repr for field in learned(shelf))
    assert all(field.init for field in chosen(shelf))
    assert learned(shelf)


def test_no_learned_field_is_declared_as_a_python_object(shelf):
    hints = typing.get_type_hints(shelf)
    for field in learned(shelf):
        hint = hints[field.name]
        assert hint in (bool, int, float, str) or typing.get_origin(hint) is np.ndarray, f"{field.name}: {hint}"


def test_no_method_keeps_what_no_field_declares(shelf):
    declared = {field.name for field in dataclasses.fields(shelf)}
    for base in shelf.__mro__[:-1]:
        if not base.__module__.startswith("reco_engine"):
            continue
        for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(base)))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
                assert node.attr in declared or node.attr.startswith("_"), f"self.{node.attr} in {base.__module__}"


def _is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"
