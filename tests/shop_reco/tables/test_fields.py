"""Which column is which field."""

from __future__ import annotations

import pytest

from shop_reco.tables.errors import ColumnError
from shop_reco.tables.fields import Fields

KNOWN = ("sku", "occurred_at", "price")


def test_a_column_is_found_by_its_name_however_it_is_written():
    fields = Fields(known=KNOWN)
    assert [fields.field_of(each) for each in ("SKU", " occurredAt", "Occurred At", "city")] == [
        "sku", "occurred_at", "occurred_at", "",
    ]  # fmt: skip


def test_a_mapped_column_takes_the_place_of_the_one_with_the_fields_name():
    fields = Fields(known=KNOWN, mapped={"item": "sku", "Price": ""}, constants={"occurred_at": "now"})
    assert fields.of({"item": "1", "sku": "2", "Price": "3", "occurred_at": "then"}) == {
        "sku": "1", "occurred_at": "now",
    }  # fmt: skip
    assert fields.check(["item", "sku", "Price"], needed=["sku"]) == ("sku",)


def test_what_is_empty_is_left_out():
    assert Fields(known=KNOWN).of({"sku": "", "price": None, "occurred_at": 0}) == {"occurred_at": 0}


@pytest.mark.parametrize(
    ("mapped", "columns", "message"),
    [
        ({"item": "skuu"}, ["item"], "did you mean sku?"),
        ({"item": "sku"}, ["thing"], "no column 'item' to map; the columns: thing"),
        ({"a": "sku", "b": "sku"}, ["a", "b"], "two columns are mapped to sku"),
        ({}, ["SKU", "sku"], "are both sku; choose one with --map sku=sku"),
        ({}, ["thing"], "no column is sku; the columns: thing. Name one with --map COLUMN=sku"),
    ],
)
def test_what_does_not_fit_is_told_with_the_fix(mapped, columns, message):
    with pytest.raises(ColumnError) as told:
        Fields(known=KNOWN, mapped=mapped).check(columns, needed=["sku"])
    assert message in str(told.value)


def test_names_that_never_end_are_not_all_remembered():
    fields = Fields(known=KNOWN)
    for n in range(5000):
        fields.field_of(f"column {n}")
    assert len(fields._found) <= 1001
