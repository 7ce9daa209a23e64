"""Returns cancel what they undo, and nothing else."""

from __future__ import annotations

import pytest

from reco_engine.data.cleaning import clean
from reco_engine.data.events import EventBatch
from reco_engine.data.returns import Returns


def settled(*rows):
    """Rows of (type, time, quantity, order) of one shopper and item; what is left as (time, quantity)."""
    types, times, quantities, orders = zip(*rows, strict=True)
    size = len(rows)
    events = EventBatch.from_arrays(["u"] * size, ["a"] * size, types, times, quantities, orders=orders)
    cleaned, report = clean(events, [Returns()], at=99)
    return list(zip(cleaned.timestamps, cleaned.quantities, strict=True)), report


def test_a_returned_purchase_is_gone_and_so_is_the_return():
    assert settled(("purchase", 1, 2, ""), ("refund", 5, 2, ""))[0] == []


def test_a_part_returned_leaves_the_rest_and_is_a_change():
    left, report = settled(("purchase", 1, 5, ""), ("refund", 5, 2, ""))
    assert left == [(1, 3)]
    assert (report.dropped, report.changed) == ({"returns": 1}, {"returns": 1})


def test_the_newest_purchase_is_undone_first_and_several_where_one_is_not_enough():
    assert settled(("purchase", 1, 2, ""), ("purchase", 2, 1, ""), ("refund", 5, 2, ""))[0] == [(1, 1)]


def test_a_return_that_names_its_order_undoes_only_that():
    rows = ("purchase", 1, 1, "A"), ("purchase", 2, 1, "B"), ("refund", 5, 3, "A")
    assert settled(*rows)[0] == [(2, 1)]
    assert settled(("purchase", 1, 1, "B"), ("refund", 5, 1, "A"))[0] == [(1, 1)]


def test_a_purchase_after_the_return_stays_and_one_of_the_same_moment_does_not():
    assert settled(("refund", 5, 1, ""), ("purchase", 6, 1, ""))[0] == [(6, 1)]
    assert settled(("refund", 5, 1, ""), ("purchase", 5, 1, ""))[0] == []


def test_a_negative_purchase_is_a_return():
    assert settled(("purchase", 1, 3, ""), ("purchase", 5, -2, ""))[0] == [(1, 1)]


def test_an_unknown_quantity_is_one_piece():
    assert settled(("purchase", 1, 2, ""), ("refund", 5, None, ""))[0] == [(1, 1)]
    assert settled(("purchase", 1, None, ""), ("refund", 5, 1, ""))[0] == []


def test_a_purchase_returned_twice_is_returned_once():
    assert settled(("purchase", 1, 1, ""), ("purchase", 2, 1, ""), ("refund", 3, 1, ""), ("refund", 4, 1, ""))[0] == []


@pytest.mark.parametrize(("user", "item"), [("v", "a"), ("u", "b")])
def test_other_shoppers_and_other_items_are_left_alone(user, item):
    events = EventBatch.from_arrays(["u", user, "u"], ["a", item, "a"], ["purchase", "purchase", "refund"], [1, 2, 3])
    assert clean(events, [Returns()], at=99)[0].rows.tolist() == [1]


def test_a_view_of_what_was_returned_stays_a_view():
    events = EventBatch.from_arrays(["u"] * 3, ["a"] * 3, ["view_item", "purchase", "refund"], [1, 2, 3])
    assert clean(events, [Returns()], at=99)[0].types.tolist() == ["view_item"]


def test_a_shop_with_codes_of_its_own_names_them():
    events = EventBatch.from_arrays([1, 1], [1, 1], [10, 20], [1, 2])
    assert len(clean(events, [Returns(purchases=(10,), refunds=(20,))], at=99)[0]) == 0
