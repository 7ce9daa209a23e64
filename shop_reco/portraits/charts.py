"""Charts of a portrait as shapes for inline SVG; each comes with its numbers, which a table tells as well."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .engine import levels_of

AXES, LETTERS = 8, 14
"""Axes of a radar at most, and letters of a label beside it; the table has the whole name."""

RADIUS, MARGIN_X, MARGIN_Y = 80, 90, 24
TREND = (280, 40)
"""Width and height of a trend's drawing area."""
BARS = (320, 110)
"""Width and height of the bars' drawing area."""

CELL, LEFT, TOP = 12, 40, 14
STEPS = 5
"""Shades of a heat map, from nothing to most."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a radar: where it ends, where its label stands, and the label's anchor."""

    name: str
    label: str
    value: float
    share: int
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Radar:
    axes: list[Axis]
    shape: str
    rings: list[str]
    width: int
    height: int
    centre: tuple[float, float]


def radar(values: Sequence[tuple[str, float]]) -> Radar | None:
    """A radar of at most AXES values, the first ones; None with fewer than three, which span no area."""
    chosen = values[:AXES]
    if len(chosen) < 3:
        return None
    most = max(value for _name, value in chosen) or 1.0
    width, height = 2 * (RADIUS + MARGIN_X), 2 * (RADIUS + MARGIN_Y)
    centre = (width / 2, height / 2)

    def point(place: int, share: float) -> tuple[float, float]:
        angle = 2 * math.pi * place / len(chosen) - math.pi / 2
        return round(centre[0] + math.cos(angle) * RADIUS * share, 1), round(
            centre[1] + math.sin(angle) * RADIUS * share, 1
        )

    def outline(shares: Sequence[float]) -> str:
        return " ".join(f"{x},{y}" for x, y in (point(place, share) for place, share in enumerate(shares)))

    axes = []
    for place, (name, value) in enumerate(chosen):
        (x, y), (label_x, label_y) = point(place, 1), point(place, 1.1)
        side = label_x - centre[0]
        anchor = "middle" if abs(side) < RADIUS * 0.2 else "start" if side > 0 else "end"
        axes.append(
            Axis(name, _short(name), value, round(100 * value / most), x, y, label_x, round(label_y + 4, 1), anchor)
        )
    return Radar(
        axes,
        outline([value / most for _name, value in chosen]),
        [outline([share] * len(chosen)) for share in (0.25, 0.5, 0.75, 1.0)],
        width,
        height,
        centre,
    )


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


@dataclass(frozen=True, slots=True)
class Cell:
    x: int
    y: int
    shade: int
    n: int
    text: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    name: str
    label_y: int
    cells: list[Cell]
    parts: list[int]
    """Sums of the night, the morning, the afternoon and the evening: six hours each."""


@dataclass(frozen=True, slots=True)
class Heat:
    rows: list[HeatRow]
    hours: list[tuple[int, str]]
    size: int
    width: int
    height: int
    busiest: str
    key: int
    """The busiest hour of the week."""


def heat(hours: Sequence[int]) -> Heat | None:
    """A heat map of 168 hours of the week from Monday's midnight on; None where nothing happened."""
    most = max(hours, default=0)
    if most <= 0:
        return None
    rows = []
    for weekday in range(7):
        day, name = list(hours[weekday * 24 : weekday * 24 + 24]), str(WEEKDAYS_ABBR[weekday])
        y = TOP + weekday * CELL
        cells = [
            Cell(LEFT + hour * CELL, y, math.ceil(STEPS * n / most), n, _at(name, hour, n))
            for hour, n in enumerate(day)
        ]
        rows.append(HeatRow(name, y + CELL - 3, cells, [sum(day[start : start + 6]) for start in range(0, 24, 6)]))
    busiest = max(range(168), key=lambda hour: (hours[hour], -hour))
    return Heat(
        rows,
        [(LEFT + hour * CELL, f"{hour}") for hour in range(0, 24, 6)],
        CELL - 1,
        LEFT + 24 * CELL,
        TOP + 7 * CELL,
        _at(str(WEEKDAYS_ABBR[busiest // 24]), busiest % 24, hours[busiest]),
        busiest,
    )


def _at(weekday: str, hour: int, n: int) -> str:
    events = ngettext("%(n)s event", "%(n)s events", n) % {"n": n}
    return _("%(weekday)s, %(hour)s:00: %(events)s") % {"weekday": weekday, "hour": hour, "events": events}


@dataclass(frozen=True, slots=True)
class Bar:
    """One month; ``key`` leads to what is behind it, and is empty where nothing is."""

    name: str
    value: str
    key: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    bars: list[Bar]
    width: int
    height: int
    first: str
    last: str
    most: str


def money_bars(months: Sequence[tuple[dt.date, Any]], currency: str) -> Bars | None:
    """What was spent each month, the highest bar as high as the drawing area; None where nothing was spent.

    A month in which more was given back than bought is told in the table, and has no bar.
    """
    most = max((float(amount) for _month, amount in months), default=0.0)
    if most <= 0:
        return None
    step = BARS[0] / len(months)
    bars = []
    for place, (month, amount) in enumerate(months):
        high = round(BARS[1] * max(float(amount), 0.0) / most, 1)
        bars.append(
            Bar(
                name=date_format(month, "YEAR_MONTH_FORMAT"),
                value=f"{number_format(amount, 2)} {currency}",
                key=f"{currency}:{month:%Y-%m}" if amount else "",
                x=round(place * step + step * 0.12, 1),
                y=round(BARS[1] - high, 1),
                width=round(step * 0.76, 1),
                height=high,
            )
        )
    return Bars(bars, BARS[0], BARS[1], bars[0].name, bars[-1].name, max(bars, key=lambda bar: bar.height).value)


@dataclass(frozen=True, slots=True)
class Trend:
    """A share night by night: the points of a line from the first to the last, and the nights in words."""

    points: str
    first: str
    last: str
    rows: list[tuple[str, str]]
    width: int
    height: int


def trend(nights: Sequence[tuple[dt.date, float]]) -> Trend | None:
    """A line of percents from 0 up to the largest; nights lie as far apart as they were. None with fewer than two days.

    Of several fits in one day the last counts.
    """
    days = sorted(dict(nights).items())
    if len(days) < 2:
        return None
    most, start = max(share for _day, share in days) or 1.0, days[0][0]
    span = (days[-1][0] - start).days
    points = (
        (round(TREND[0] * (day - start).days / span, 1), round(TREND[1] * (1 - share / most), 1)) for day, share in days
    )
    rows = [(date_format(day, "SHORT_DATE_FORMAT"), f"{number_format(share, 1)}%") for day, share in days]
    return Trend(
        " ".join(f"{x},{y}" for x, y in points),
        _("%(share)s on %(day)s") % {"share": rows[0][1], "day": rows[0][0]},
        _("%(share)s on %(day)s") % {"share": rows[-1][1], "day": rows[-1][0]},
        rows,
        *TREND,
    )


def portrait_charts(
    *,
    interests: Sequence[tuple[str, str, str, float]],
    hours: Sequence[int],
    months: Sequence[tuple[dt.date, Any]],
    currency: str,
) -> dict[str, Any]:
    """The three charts of a portrait; ``interests`` are kind, name, what is above it, and weight, strongest first.

    The radar has the top level of categories, unless they are fewer than three or one has more than half of it
    all: then the deepest ones say more.
    """
    found = [(name, above, weight) for kind, name, above, weight in interests if kind == "category" and weight > 0]
    top = [(name, weight) for name, above, weight in found if not above]
    inner = {level for _name, above, _weight in found for level in levels_of(above)}
    deepest = [(name, w) for name, above, w in found if (f"{above} > {name}" if above else name) not in inner]
    brands = [(name, weight) for kind, name, _above, weight in interests if kind == "brand" and weight > 0]
    if top and 2 * top[0][1] > sum(weight for _name, weight in top):
        top = []
    values = next((each for each in (top, deepest, deepest + brands) if len(each) >= 3), [])
    return {"radar": radar(values), "heat": heat(hours), "bars": money_bars(months, currency)}
