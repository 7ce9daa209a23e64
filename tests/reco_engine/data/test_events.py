"""Events as columns, and what recommenders get of them."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.events import EventBatch
from reco_engine.errors import BadInputError


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("items", ["a"]),
        ("types", ["view_item"]),
        ("timestamps", [1.0]),
        ("prices", [1.0]),
        ("quantities", [[1.0, 2.0]]),
        ("ratings", ["good", "bad"]),
    ],
)
def test_a_column_of_another_length_or_of_no_numbers_is_refused_by_name(name, bad):
    columns = {"users": [1, 2], "items": ["a", "b"], "types": ["rate", "rate"], "timestamps": [1, 2], name: bad}
    with pytest.raises(BadInputError, match=name):
        EventBatch.from_arrays(**columns)


def test_an_event_about_no_product_or_of_no_order_says_so_by_an_empty_name():
    events = EventBatch.from_arrays([1, 1], [None, "a"], ["search", "purchase"], [1, 2], orders=[None, 17])
    assert events.items.tolist() == ["", "a"]
    assert events.orders.tolist() == ["", "17"]
    assert events.ordered().tolist() == [False, True]


def test_orders_may_be_numbers_of_which_zero_is_none():
    events = EventBatch.from_arrays([1, 1], ["a", "a"], ["purchase", "purchase"], [1, 2], orders=[0, 17])
    assert events.orders.tolist() == [0, 17]
    assert events.ordered().tolist() == [False, True]


def test_training_data_and_a_live_history_weigh_an_event_alike():
    events = EventBatch.from_arrays(
        ["u", "u", "u", "v"], ["a", "b", "c", "a"], ["purchase", "view_item", "search", "view_item"], [30, 10, 20, 40]
    )
    weights = {"view_item": 0.5, "purchase": 2.0}
    training = events.interactions(weights)
    assert training.weights.tolist() == [0.5, 2.0, 0.5]
    assert training.timestamps.tolist() == [10, 30, 40]
    live = events.where(events.users == "u").history(weights)
    assert (live.items, live.timestamps, live.weights) == (["b", "a"], [10, 30], [0.5, 2.0])


def test_a_live_history_is_of_one_shopper():
    events = EventBatch.from_arrays([1, 2], [1, 1], [7, 7], [1, 2])
    with pytest.raises(BadInputError, match="one shopper"):
        events.history({7: 1.0})


def test_events_without_a_weight_become_no_interaction():
    events = EventBatch.from_arrays([1], [1], ["search"], [1])
    assert len(events.interactions({})) == 0
    assert len(events.history({"view_item": 1.0})) == 0


def test_rows_keep_their_first_numbers():
    events = EventBatch.from_arrays([1, 2, 3], [1, 1, 1], [7, 7, 7], [1, 2, 3])
    assert events.where(np.asarray([False, True, True])).where(np.asarray([False, True])).rows.tolist() == [2]
