"""Charts of some days for the admin's first page, as shapes for inline SVG; each comes with its numbers for a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from .recommendations.reading import Rate

WIDTH, HEIGHT = 560, 140
"""Of the drawing area, in svg units."""
Show = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A part of a day's column, in svg units, with what a tooltip says."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line with gaps where a day has no value; ``band`` are the outlines of its interval, one for each piece."""

    colour: str
    dash: str
    dots: tuple[Dot, ...]
    pieces: tuple[str, ...]
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayChart:
    """One chart.

    Attributes:
        most: What its height stands for.
        told: In one sentence what it shows, for who does not see it.
        heads, rows: The same numbers; each row with its day, its address or none, and its cells.
    """

    title: str
    told: str
    legend: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    most: str
    first: dt.date
    last: dt.date
    heads: tuple[str, ...]
    rows: tuple[tuple[dt.date, str, tuple[str, ...]], ...]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Series:
    """Values by day, None where nothing is told."""

    name: str
    colour: str
    values: Sequence[float | None]


def whole(value: float) -> str:
    return number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True)


def percent(value: float) -> str:
    return _("%(n)s%%") % {"n": number_format(100 * value, decimal_pos=1)}


def columns_chart(
    title: str, days: Sequence[dt.date], series: Sequence[Series], *, show: Show = whole, address: Any = None
) -> DayChart:
    """Columns of which each series is a part, the highest as high as the drawing area.

    Args:
        address: Of the page with what is behind a day, as a function of the day; none where nobody may see it.
    """
    sums = [sum(each.values[k] or 0 for each in series) for k in range(len(days))]
    most = max(sums, default=0) or 1
    step = WIDTH / max(len(days), 1)
    drawn = []
    for k, day in enumerate(days):
        below = 0.0
        for each in series:
            value = each.values[k]
            if value:
                below += value
                text = f"{date_format(day)}, {each.name}: {show(value)}"
                drawn.append(_column(k * step, step, below / most, value / most, each.colour, text))
    return _chart(
        title, days, [(each.name, each.colour, each.values) for each in series], tuple(drawn), (), most, show, address
    )


def _column(x: float, step: float, top: float, share: float, colour: str, text: str) -> Column:
    return Column(
        round(x + step * 0.1, 1),
        round(HEIGHT * (1 - top), 1),
        round(step * 0.8, 1),
        round(HEIGHT * share, 1),
        colour,
        text,
    )


def lines_chart(
    title: str,
    days: Sequence[dt.date],
    rates: Sequence[tuple[str, str, str, Sequence[Rate | None]]],
    *,
    show: Show,
    address: Any = None,
) -> DayChart:
    """Lines with their intervals around them; each of ``rates`` has a name, a colour, a dash and a rate a day."""
    reach = [max(each.value, each.high or 0.0) for _n, _c, _d, values in rates for each in values if each is not None]
    most = max(reach, default=0.0) or 1.0
    step = WIDTH / max(len(days), 1)

    def at(k: int, value: float) -> tuple[float, float]:
        return round((k + 0.5) * step, 1), round(HEIGHT * (1 - min(max(value, 0.0) / most, 1.0)), 1)

    lines = []
    for name, colour, dash, values in rates:
        known = [(k, rate) for k, rate in enumerate(values) if rate is not None]
        dots = tuple(
            Dot(*at(k, rate.value), f"{date_format(days[k])}, {name}: {told(rate, show)}") for k, rate in known
        )
        pieces = _pieces(known)
        bands = [[each for each in piece if each[1].low is not None] for piece in pieces]
        lines.append(
            Line(
                colour,
                dash,
                dots,
                tuple(_path([at(k, rate.value) for k, rate in piece]) for piece in pieces if len(piece) > 1),
                tuple(
                    _path([*(at(k, r.high or 0) for k, r in band), *(at(k, r.low or 0) for k, r in reversed(band))])
                    for band in bands
                    if len(band) > 1
                ),
            )
        )
    texts = [(name, colour, values) for name, colour, _d, values in rates]
    return _chart(title, days, texts, (), tuple(lines), most, show, address)


def told(rate: Rate, show: Show) -> str:
    """A rate with its interval, where it has one."""
    if rate.low is None or rate.high is None:
        return show(rate.value)
    text = _("%(value)s (95%%: %(low)s to %(high)s)")
    return text % {"value": show(rate.value), "low": show(max(rate.low, 0.0)), "high": show(rate.high)}


def _pieces(known: Sequence[tuple[int, Rate]]) -> list[list[tuple[int, Rate]]]:
    """Runs of days that follow each other."""
    pieces: list[list[tuple[int, Rate]]] = []
    for k, rate in known:
        if pieces and pieces[-1][-1][0] == k - 1:
            pieces[-1].append((k, rate))
        else:
            pieces.append([(k, rate)])
    return pieces


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _chart(
    title: str,
    days: Sequence[dt.date],
    series: Sequence[tuple[str, str, Sequence[Any]]],
    columns: tuple[Column, ...],
    lines: tuple[Line, ...],
    most: float,
    show: Show,
    address: Any,
) -> DayChart:
    def cell(value: Any) -> str:
        if value is None:
            return "-"
        return told(value, show) if isinstance(value, Rate) else show(value)

    latest = "; ".join(f"{name}: {cell(values[-1])}" for name, _colour, values in series)
    return DayChart(
        title=title,
        told=_("%(title)s. On the last day: %(latest)s.") % {"title": title, "latest": latest},
        legend=tuple((name, colour) for name, colour, _values in series) if len(series) > 1 else (),
        columns=columns,
        lines=lines,
        most=show(most),
        first=days[0],
        last=days[-1],
        heads=tuple(name for name, _colour, _values in series),
        rows=tuple(
            (day, address(day) if address else "", tuple(cell(values[k]) for _name, _colour, values in series))
            for k, day in reversed(list(enumerate(days)))
        ),
    )
