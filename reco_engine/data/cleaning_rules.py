"""The rules of cleaning: duplicates, unknown products, bots and impossible values. Returns are in ``returns``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import Ids

from .cleaning import Outcome, Rule
from .events import EventBatch, Mask, Numbers
from .interactions import codes_of
from .returns import Returns

DAY = 86_400.0


@dataclass(frozen=True)
class ImpossibleTimes:
    """Drop events without a time, from before the shop, or from later than clocks go wrong."""

    earliest: float = 631_152_000.0  # unix seconds; 1990-01-01, before which no web shop was
    ahead: float = DAY  # seconds that a clock may be ahead of the instant of cleaning
    name: str = "impossible_times"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, (events.timestamps >= self.earliest) & (events.timestamps <= at + self.ahead))


@dataclass(frozen=True)
class ImpossibleValues:
    """Blank (make unknown) or drop values of one column that are infinite or out of range; NaN is unknown already."""

    column: Literal["quantities", "prices", "ratings"]
    lowest: float
    highest: float
    action: Literal["blank", "drop"] = "blank"

    def __post_init__(self) -> None:
        if not self.lowest <= self.highest:
            raise BadInputError(f"lowest of {self.column} must be at most highest: {self.lowest}, {self.highest}")

    @property
    def name(self) -> str:
        return f"impossible_{self.column}"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        values: Numbers = getattr(events, self.column)
        wrong = (values < self.lowest) | (values > self.highest) | np.isinf(values)
        if self.action == "drop":
            return Outcome.kept(events, ~wrong)
        blanked = events.changed(**{self.column: np.where(wrong, np.nan, values)})
        return Outcome(blanked, np.ones(len(events), dtype=bool), wrong)


@dataclass(frozen=True, eq=False)
class UnknownProducts:
    """Drop events about items that the catalogue does not have, or about none."""

    item_ids: Ids  # sorted
    name: str = "unknown_products"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, codes_of(self.item_ids, events.items) >= 0)


@dataclass(frozen=True)
class ExactDuplicates:
    """Drop events that say what another one says, to the second and the cent; the first stays."""

    name: str = "exact_duplicates"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, ~_repeats(events, seconds=0.0))


@dataclass(frozen=True)
class NearDuplicates:
    """Drop events that say what the one before said but for the time, a moment later: a double click, a reload.

    The first of a burst stays, however long the burst is: each event is held against the one before it.
    """

    seconds: float = 5.0
    name: str = "near_duplicates"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, ~_repeats(events, seconds=self.seconds))


@dataclass(frozen=True)
class Bots:
    """Drop all events of shoppers who do more in some window of time than a person can.

    The lines of one order at one moment are one act. Where dates have no hours, a busy day looks like one
    moment: give limits by the day only.
    """

    limits: tuple[tuple[float, int], ...] = ((60.0, 100), (3_600.0, 1_500), (DAY, 8_000))  # seconds, most acts
    name: str = "bots"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        users = np.unique(events.users, return_inverse=True)[1]
        order = np.lexsort((events.orders, events.timestamps, users))
        same = _same_as_before(order, users, events.timestamps, events.orders)
        acts = order[~(same & (events.orders[order] != ""))]
        machine = np.zeros(int(users.max(initial=-1)) + 1, dtype=bool)
        for seconds, most in self.limits:
            first, last = acts[: max(acts.size - most, 0)], acts[most:]
            close = events.timestamps[last] - events.timestamps[first] < seconds
            machine[users[last[(users[first] == users[last]) & close]]] = True
        return Outcome.kept(events, ~machine[users])


def usual_rules(item_ids: Any = None) -> tuple[Rule, ...]:
    """Every rule with its usual settings, in an order that works; unknown products only where ``item_ids`` are given.

    Bots are told by all that they did, so that rule comes before those which drop some of it. Returns come before
    impossible quantities, since some shops report a return as a negative purchase.
    """
    known = () if item_ids is None else (UnknownProducts(np.unique(np.asarray(item_ids))),)
    return (
        ImpossibleTimes(),
        ExactDuplicates(),
        Bots(),
        *known,
        NearDuplicates(),
        Returns(),
        ImpossibleValues("quantities", lowest=0.001, highest=10_000.0, action="drop"),
        ImpossibleValues("prices", lowest=0.0, highest=1e7),
        ImpossibleValues("ratings", lowest=1.0, highest=5.0),
    )


def _repeats(events: EventBatch, *, seconds: float) -> Mask:
    """Which events equal the one before in all but the time, which is at most ``seconds`` later."""
    repeats = np.zeros(len(events), dtype=bool)
    rows = _close_together(events, seconds)
    columns = (
        events.users, events.items, events.types, events.orders, events.quantities, events.prices, events.ratings
    )  # fmt: skip
    order = rows[np.lexsort((rows, events.timestamps[rows], *(column[rows] for column in columns)))]
    gaps = np.diff(events.timestamps[order], prepend=np.nan)
    repeats[order] = _same_as_before(order, *columns) & (gaps <= seconds)
    return repeats


def _close_together(events: EventBatch, seconds: float) -> npt.NDArray[np.int64]:
    """Rows with another event of the shopper within ``seconds``: the few that are worth a sort by all columns."""
    order = np.lexsort((events.timestamps, events.users))
    gaps = np.diff(events.timestamps[order], prepend=np.nan)
    after = _same_as_before(order, events.users) & (gaps <= seconds)
    close = after.copy()
    close[:-1] |= after[1:]
    return np.asarray(order[close])


def _same_as_before(order: npt.NDArray[np.int64], *columns: Any) -> Mask:
    """Which rows, taken in ``order``, have all values of the row before them; NaN equals NaN."""
    same = np.ones(order.size, dtype=bool)
    same[:1] = False
    for column in columns:
        now, before = column[order[1:]], column[order[:-1]]
        equal = now == before
        same[1:] &= equal | (np.isnan(now) & np.isnan(before)) if column.dtype.kind == "f" else equal
    return same
