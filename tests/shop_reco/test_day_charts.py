"""Charts of days are drawn to one scale and told in words and numbers."""

from __future__ import annotations

import datetime as dt

from shop_reco.day_charts import HEIGHT, Series, columns_chart, lines_chart, percent
from shop_reco.recommendations.reading import Rate

DAYS = [dt.date(2026, 1, day) for day in (1, 2, 3)]


def test_the_busiest_day_is_as_high_as_the_chart():
    drawn = columns_chart("Events", DAYS, [Series("Events", "", [5, 0, 10])]).columns
    assert [(each.y, each.height) for each in drawn] == [(HEIGHT / 2, HEIGHT / 2), (0, HEIGHT)]


def test_parts_of_a_day_lie_on_each_other():
    chart = columns_chart("Lists", DAYS, [Series("a", "red", [1, 2, None]), Series("b", "blue", [3, None, 4])])
    assert [(each.colour, each.y, each.height) for each in chart.columns[:2]] == [
        ("red", HEIGHT * 0.75, HEIGHT / 4),
        ("blue", 0, HEIGHT * 0.75),
    ]
    assert chart.legend == (("a", "red"), ("b", "blue"))
    assert chart.rows[0] == (DAYS[2], "", ("-", "4"))


def test_a_day_leads_to_what_is_behind_it():
    chart = columns_chart("Lists", DAYS, [Series("a", "", [1, 2, 3])], address=lambda day: f"?{day}")
    assert [address for _day, address, _cells in chart.rows] == ["?2026-01-03", "?2026-01-02", "?2026-01-01"]


def test_nothing_at_all_is_a_chart_without_columns():
    chart = columns_chart("Lists", DAYS, [])
    assert (chart.columns, chart.heads) == ((), ())


def test_a_line_has_a_gap_where_a_day_tells_nothing_and_its_interval_around_it():
    rates = [Rate(0.1, 0.05, 0.2), Rate(0.2, 0.1, 0.4), None]
    (line,) = lines_chart("Clicks", DAYS, [("Personal", "blue", "", rates)], show=percent).lines
    assert [dot.y for dot in line.dots] == [HEIGHT * 0.75, HEIGHT / 2]
    assert len(line.pieces) == len(line.bands) == 1
    (alone,) = lines_chart("Clicks", DAYS, [("Personal", "", "", [rates[0], None, rates[1]])], show=percent).lines
    assert (alone.pieces, alone.bands, len(alone.dots)) == ((), (), 2)


def test_the_chart_is_told_in_words():
    rates = [None, None, Rate(0.2, -0.1, 0.4)]
    chart = lines_chart("Clicks", DAYS, [("Personal", "", "", rates)], show=percent)
    assert chart.told == "Clicks. On the last day: Personal: 20.0% (95%: 0.0% to 40.0%)."
