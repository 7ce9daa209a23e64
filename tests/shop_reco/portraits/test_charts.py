"""Charts have the numbers that their tables tell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from shop_reco.portraits.charts import AXES, BARS, CELL, heat, money_bars, portrait_charts, radar


def test_a_radar_reaches_its_rim_where_the_interest_is_strongest():
    chart = radar([("Tea", 4.0), ("Soap", 2.0), ("A category with a long name", 1.0)])
    assert [axis.share for axis in chart.axes] == [100, 50, 25]
    assert chart.shape.split()[0] == f"{chart.axes[0].x},{chart.axes[0].y}"
    assert chart.axes[2].label == "A category wi…"
    for axis in chart.axes:
        assert 0 <= axis.label_x <= chart.width
        assert 0 <= axis.label_y <= chart.height


def test_a_radar_of_fewer_than_three_would_be_a_line_and_has_at_most_eight():
    assert radar([("Tea", 1.0), ("Soap", 1.0)]) is None
    assert len(radar([(str(n), 20.0 - n) for n in range(20)]).axes) == AXES


def test_a_heat_map_shades_the_busiest_hour_most():
    hours = [0] * 168
    hours[24 + 9], hours[3] = 10, 1
    chart = heat(hours)
    cell = chart.rows[1].cells[9]
    assert (cell.n, cell.shade, chart.rows[0].cells[3].shade, chart.rows[0].cells[4].shade) == (10, 5, 1, 0)
    assert chart.busiest == "Tue, 9:00: 10 events"
    assert chart.key == 33
    assert chart.rows[1].parts == [0, 10, 0, 0]
    assert chart.rows[6].cells[23].x + CELL <= chart.width
    assert heat([0] * 168) is None


def test_bars_stand_for_money_and_a_month_of_returns_has_none():
    months = [
        (dt.date(2024, 1, 1), Decimal("-5")),
        (dt.date(2024, 2, 1), Decimal(50)),
        (dt.date(2024, 3, 1), Decimal(25)),
    ]
    chart = money_bars(months, "USD")
    assert [bar.height for bar in chart.bars] == [0.0, BARS[1], BARS[1] / 2]
    assert [bar.value for bar in chart.bars] == ["-5.00 USD", "50.00 USD", "25.00 USD"]
    assert chart.bars[1].key == "USD:2024-02"
    assert money_bars([(dt.date(2024, 1, 1), Decimal(0))], "USD") is None


def test_the_radar_has_the_departments_of_a_shop_that_has_some_and_else_what_is_deepest():
    around = {"hours": [0] * 168, "months": [], "currency": "USD"}
    departments = [("category", name, "", 3.0) for name in ("Food", "Home", "Garden")]
    deep = [("category", name, "Shop", 1.0) for name in ("Tea", "Soap", "Cheese")]
    first = portrait_charts(interests=[*departments, *deep], **around)["radar"]
    assert [axis.name for axis in first.axes] == ["Food", "Home", "Garden"]
    second = portrait_charts(interests=[("category", "Shop", "", 3.0), *deep], **around)["radar"]
    assert [axis.name for axis in second.axes] == ["Tea", "Soap", "Cheese"]


def test_a_department_that_is_nearly_all_there_is_gives_way_to_what_is_deepest():
    interests = [
        ("category", "Food", "", 9.0),
        ("category", "Home", "", 1.0),
        ("category", "Garden", "", 1.0),
        ("category", "Green", "Food > Tea", 2.0),
        ("category", "Black", "Food > Tea", 1.0),
    ]
    chart = portrait_charts(interests=interests, hours=[0] * 168, months=[], currency="USD")["radar"]
    assert [axis.name for axis in chart.axes] == ["Home", "Garden", "Green", "Black"]
