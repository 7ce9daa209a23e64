"""What an item is called changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.ranking import recommend
from tests.reco_engine.conftest import AT, HISTORY


def called(item):
    return f"sku-{item:06}"


@pytest.fixture
def named(fit, data, rows):
    """Fitted to the same shop, whose items have names in place of numbers."""
    _, catalogue = data
    names = np.asarray([called(item) for item in catalogue.item_ids])
    return fit(
        Interactions.from_arrays(**{**rows, "items": [called(item) for item in rows["items"]]}),
        replace(catalogue, item_ids=names),
    )


def test_items_with_names_are_scored_as_those_with_numbers(model, named):
    history = replace(HISTORY, items=[called(item) for item in HISTORY.items], _known={})
    assert named.item_ids.tolist() == [called(item) for item in model.item_ids]
    np.testing.assert_array_equal(named.score([history], at=AT), model.score([HISTORY], at=AT))


def test_names_come_back_in_lists_and_reasons(model, named):
    history = replace(HISTORY, items=[called(item) for item in HISTORY.items], _known={})
    (list_of_names,) = recommend(named, [history], 9, exclude_seen=False, at=AT)
    (list_of_numbers,) = recommend(model, [HISTORY], 9, exclude_seen=False, at=AT)
    assert list_of_names.item_ids == tuple(called(item) for item in list_of_numbers.item_ids)
    assert all(type(item) is str for item in list_of_names.item_ids)
    assert all(type(item) is int for item in list_of_numbers.item_ids)
    for item in list_of_numbers.item_ids:
        told = [(reason.kind, reason.points, reason.evidence) for reason in named.explain(history, called(item), at=AT)]
        expected = [
            (reason.kind, reason.points, tuple(called(each) for each in reason.evidence))
            for reason in model.explain(HISTORY, item, at=AT)
        ]
        assert told == expected


def test_numbers_are_unknown_among_names(named):
    strangers, empty = named.score([History([3, 7]), History([])], at=AT)
    np.testing.assert_array_equal(strangers, empty)
