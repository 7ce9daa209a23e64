"""From a row of a file to an event, and the ids of rows that have none."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shop_reco.events.errors import EventError
from shop_reco.events.rows import NAMESPACE, Identities, event_of
from shop_reco.tables.writing import Writing

ROW = {"shopper": "h1", "sku": "Tea-1", "type": "view", "occurred_at": "2026-03-01T10:00:00Z"}
TEN = dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("written", "writing"),
    [
        ("2026-03-01T10:00:00Z", {}),
        ("2026-03-01 11:00:00+01:00", {}),
        ("2026-03-01 11:00", {"zone": "Europe/Berlin"}),
        ("01.03.2026 10:00", {"time_format": "%d.%m.%Y %H:%M", "zone": "UTC"}),
        (TEN.timestamp(), {"time_format": "unix"}),
        (str(int(TEN.timestamp() * 1000)), {"time_format": "unix-ms"}),
        (TEN.replace(tzinfo=None), {"zone": "UTC"}),
    ],
)
def test_times_are_read_as_the_file_writes_them(written, writing):
    assert event_of({**ROW, "occurred_at": written}, Writing(**writing))["occurred_at"] == TEN


def test_a_day_is_its_midnight_in_the_given_zone():
    found = event_of({**ROW, "occurred_at": dt.date(2026, 7, 1)}, Writing(zone="Asia/Shanghai"))
    assert found["occurred_at"] == dt.datetime(2026, 7, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"occurred_at": "2026-03-01 10:00"}, "occurred_at has no zone; say which one it is in with --time-zone"),
        ({"occurred_at": "yesterday"}, "occurred_at must be an ISO 8601 time; another form is told by --time-format"),
        ({"occurred_at": ""}, "occurred_at is empty; each event must say when it happened"),
        ({"shopper": " "}, "shopper is empty; each event must say who did it"),
        ({"shopper": {"id": 1}}, "shopper must be one value, not a dict"),
        ({"sku": math.nan}, "sku must be a text or a whole number, not nan"),
        ({"quantity": "1.5"}, "quantity must be a whole number, not 1.5"),
    ],
)
def test_what_cannot_be_told_names_its_field(change, why):
    with pytest.raises(EventError) as told:
        event_of({**ROW, **change}, Writing())
    assert (told.value.code, told.value.message) == ("BAD_FIELD", why)


def test_numbers_are_read_as_the_file_writes_them():
    row = {**ROW, "sku": 12.0, "shopper": 7, "quantity": "1.000", "rating": "4,5", "price": "1.234,50", "order": "  x "}
    found = event_of(row, Writing(decimal_comma=True))
    assert {name: found[name] for name in ("sku", "shopper", "quantity", "rating", "price", "order")} == {
        "sku": "12", "shopper": "7", "quantity": 1000, "rating": 4.5, "price": "1234.50", "order": "x",
    }  # fmt: skip
    assert event_of({**ROW, "quantity": Decimal("2")}, Writing())["quantity"] == Decimal("2")


def test_the_same_rows_get_the_same_ids_and_twins_get_their_own():
    rows = [ROW, {**ROW, "sku": "Tea-2"}, ROW]

    def ids(source):
        identities = Identities(source)
        return [identities.of(None, row) for row in rows]

    assert ids("till") == ids("till")
    assert len(set(ids("till")) | set(ids("web"))) == 6


def test_an_empty_column_more_changes_no_id_and_another_order_of_columns_neither():
    more = {"note": "", **dict(reversed(ROW.items()))}
    assert Identities("till").of(None, more) == Identities("till").of(None, ROW)


def test_an_id_that_is_a_uuid_is_taken_and_another_is_one_within_its_source():
    given = uuid.uuid4()
    assert Identities("till").of(f" {given} ", ROW) == given
    assert Identities("till").of("17", ROW) == Identities("till").of(17, {}) != Identities("web").of("17", ROW)


def test_an_id_is_the_uuid5_of_its_name():
    assert Identities("till").of("17", ROW) == uuid.uuid5(NAMESPACE, "till\0id\0" + "17")


def test_the_counts_of_twins_are_bounded(monkeypatch):
    monkeypatch.setattr("shop_reco.events.rows.WINDOW", 10)
    identities = Identities("till")
    first, second = identities.of(None, ROW), identities.of(None, ROW)
    assert first != second
    for n in range(30):
        identities.of(None, {**ROW, "sku": str(n)})
    assert identities.of(None, ROW) == first
    assert len(identities._young) + len(identities._old) <= 20
