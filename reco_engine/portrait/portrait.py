"""A shopper's portrait: integers that add up the same in any order and in any parts, decayed when read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .grains import JOINT, QUARTER, Counts, Grain, PortraitEvent, grains_of, quarter_of
from .newest import Days, newest_days, newest_pairs

FORMAT = 2
"""Counts of another format are drawn anew."""

KEPT = {"category": 2000, "brand": 1000, "keyword": 500}
"""Newest pairs of key and day that are kept of each kind of interest; what is older has faded to nothing."""

KEPT_DAYS, KEPT_ORDERS = 400, 1000
"""Newest days of money and pieces, and newest orders, that are kept apart; what is older is one sum."""

OLDER = "older"
PRICE_LEVELS = 2
"""Price bands are kept for the first levels of a category's path."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What no portrait may tell: categories by path, with all below them, and words."""

    paths: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        if not self.paths or not path:
            return False
        return not self.paths.isdisjoint(levels_of(path))


OPEN = Silence()
"""Everything may be told."""


@dataclass
class Portrait:
    """Counts of one shopper; days and hours are those of ``zone``, days count from 1970.

    Attributes:
        first, last: The quarters of an hour of the oldest and the newest event; None where there is none.
        types, channels: Events by type and by channel.
        hours: Events by hour of the week, from 0 (Monday, midnight) to 167.
        spent: By currency and day, in hundredths, less what was given back.
        bought: Pieces by day, and how many came back.
        orders: Lines and pieces by order and day.
        prices: Pieces by currency, category and price band.
        interests: Tenths of interest by kind, key and day; of categories by whole paths, which reading adds up.
        older: What was counted on days that are no longer kept apart, by name.
    """

    zone: str = "UTC"
    first: int | None = None
    last: int | None = None
    types: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    hours: dict[int, int] = field(default_factory=dict)
    spent: dict[str, Days] = field(default_factory=dict)
    bought: Days = field(default_factory=dict)
    returned: int = 0
    orders: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    prices: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)
    interests: dict[str, dict[str, Days]] = field(default_factory=dict)
    older: dict[str, int] = field(default_factory=dict)

    def add(self, event: PortraitEvent, silence: Silence = OPEN) -> None:
        """Add one event; adding several in any order gives the same."""
        self._add_all(quarter_of(event), JOINT.join(event.category), grains_of(event), silence)

    def add_counts(self, counts: Counts, silence: Silence = OPEN) -> None:
        """Add what events were folded to: the same as adding the events."""
        for quarter, cells in counts.items():
            for path, names in cells.items():
                grains = ((*name.split(":", 1), n) for name, n in names.items())
                self._add_all(quarter, path, grains, silence)  # type: ignore[arg-type]

    def _add_all(self, quarter: int, path: str, grains: Iterable[Grain], silence: Silence) -> None:
        self.first = quarter if self.first is None else min(self.first, quarter)
        self.last = quarter if self.last is None else max(self.last, quarter)
        day, hour = day_and_hour(quarter, self.zone)
        told = not silence.covers(path)
        for kind, key, n in grains:
            if kind in TOLD:
                if told and not (kind == "keyword" and key in silence.words):
                    self._tell(day, path, kind, key, n)
            elif kind == "type":
                _grow(self.types, key, n)
                _grow(self.hours, hour, n)
            elif kind == "channel":
                _grow(self.channels, key, n)
            elif kind == "spent":
                _grow(self.spent.setdefault(key, {}), day, n)
            elif kind == "bought":
                _grow(self.bought, day, n)
            elif kind == "returned":
                self.returned += n
            else:
                days = self.orders.setdefault(key, {})
                lines, pieces = days.get(day, (0, 0))
                days[day] = (lines + n, pieces) if kind == "lines" else (lines, pieces + n)

    def _tell(self, day: int, path: str, kind: str, key: str, n: int) -> None:
        """Add to what names a category, or something of it."""
        if kind == "price":
            currency, _, band = key.rpartition(":")
            category = levels_of(path)[:PRICE_LEVELS][-1]
            _grow(self.prices.setdefault(currency, {}).setdefault(category, {}), int(band), n)
            return
        _grow(self.interests.setdefault(kind, {}).setdefault(key or path, {}), day, n)

    def cut(self) -> None:
        """Keep what KEPT, KEPT_DAYS and KEPT_ORDERS say; cutting before or after adding more gives the same."""
        for currency in list(self.spent):
            self.spent[currency], rest = newest_days(self.spent[currency], KEPT_DAYS)
            self._put_by(f"spent:{currency}", rest)
        self.bought, rest = newest_days(self.bought, KEPT_DAYS)
        self._put_by("bought", rest)
        for kind in list(self.interests):
            self.interests[kind] = newest_pairs(self.interests[kind], KEPT[kind])
        kept = newest_pairs(self.orders, KEPT_ORDERS)
        gone = [
            each
            for name, days in self.orders.items()
            for day, each in days.items()
            if kept is not self.orders and day not in kept.get(name, {})
        ]
        self.orders = kept
        self._put_by("orders", len(gone))
        self._put_by("lines", sum(lines for lines, _ in gone))
        self._put_by("pieces", sum(pieces for _, pieces in gone))

    def _put_by(self, name: str, n: int) -> None:
        if n:
            _grow(self.older, name, n)

    def to_json(self) -> dict[str, Any]:
        """Integers under string keys, sorted: the same events give the same bytes."""
        self.cut()
        return {
            "format": FORMAT,
            "zone": self.zone,
            "first": self.first,
            "last": self.last,
            "returned": self.returned,
        } | {name: _sorted(getattr(self, name)) for name in TABLES}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Portrait:
        """Read stored counts.

        Raises:
            ValueError: If they are of another format and must be drawn anew.
        """
        if content.get("format") != FORMAT:
            raise ValueError(f"counts of format {content.get('format')} must be drawn anew, as {FORMAT}")
        return cls(
            zone=content["zone"],
            first=content["first"],
            last=content["last"],
            returned=content["returned"],
            types=dict(content["types"]),
            channels=dict(content["channels"]),
            hours=_days(content["hours"]),
            spent={currency: _days(days) for currency, days in content["spent"].items()},
            bought=_days(content["bought"]),
            orders={
                name: {int(day): (each[0], each[1]) for day, each in days.items()}
                for name, days in content["orders"].items()
            },
            prices={
                currency: {category: _days(bands) for category, bands in categories.items()}
                for currency, categories in content["prices"].items()
            },
            interests={
                kind: {key: _days(days) for key, days in keys.items()} for kind, keys in content["interests"].items()
            },
            older=dict(content["older"]),
        )


TOLD = ("category", "brand", "keyword", "price")
"""What names a category, or something of it, and is silent where the category is."""

TABLES = ("types", "channels", "hours", "spent", "bought", "orders", "prices", "interests", "older")


@lru_cache(maxsize=10_000)
def levels_of(path: str) -> tuple[str, ...]:
    """The paths from the root down to ``path``."""
    names = path.split(JOINT)
    return tuple(JOINT.join(names[:level]) for level in range(1, len(names) + 1))


@lru_cache(maxsize=50_000)
def day_and_hour(quarter: int, zone: str) -> tuple[int, int]:
    """The day since 1970 and the hour of the week, as clocks in ``zone`` showed them then."""
    local = dt.datetime.fromtimestamp(quarter * QUARTER, ZoneInfo(zone))
    return local.toordinal() - dt.date(1970, 1, 1).toordinal(), local.weekday() * 24 + local.hour


def _grow(counts: dict[Any, int], key: Any, n: int) -> None:
    counts[key] = counts.get(key, 0) + n


def _days(content: Mapping[str, int]) -> Days:
    return {int(day): n for day, n in content.items()}


def _sorted(table: Any) -> Any:
    if isinstance(table, dict):
        return {str(key): _sorted(table[key]) for key in sorted(table)}
    return list(table) if isinstance(table, tuple) else table
