"""The rules of cleaning: duplicates, unknown products, impossible values, and a cap. Returns are in ``returns``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import Ids

from .bots import Bots
from .cleaning import Outcome, Rule
from .events import EventBatch, Mask, Numbers, same_as_before
from .interactions import codes_of
from .returns import Returns

DAY = 86_400.0
GRAIN = 1e-6
"""Weights are added up in whole multiples of this, so that the sums are exact whatever else is in a batch."""


@dataclass(frozen=True)
class ImpossibleTimes:
    """Drop events without a time, from before the shop, or from later than clocks go wrong."""

    earliest: float = 631_152_000.0  # unix seconds; 1990-01-01, before which no web shop was
    ahead: float = DAY  # seconds that a clock may be ahead of the instant of cleaning
    name: str = "impossible_times"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, self.possible(events.timestamps, at))

    def possible(self, timestamps: Numbers, at: float) -> Mask:
        """Which of these times an event can have, shape (n_events,)."""
        return np.asarray((timestamps >= self.earliest) & (timestamps <= at + self.ahead))


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
class MissingPrices:
    """Drop purchases whose price is not known; ``keep`` lets them be.

    Kept is what is true: that something was bought is known all the same, and nothing that is learnt from
    behaviour asks for what was paid.
    """

    missing: Literal["keep", "drop"] = "keep"
    purchases: tuple[str | int, ...] = ("purchase",)
    name: str = "event_prices"

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        if self.missing == "keep":
            return Outcome.kept(events, np.ones(len(events), dtype=bool))
        return Outcome.kept(events, ~(events.of_types(self.purchases) & np.isnan(events.prices)))


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

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise BadInputError(f"seconds must be zero or more, not {self.seconds}")

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        return Outcome.kept(events, ~_repeats(events, seconds=self.seconds))


@dataclass(frozen=True)
class DailyCap:
    """Let what one shopper does to one item on one day count ``weight`` in all, the weightiest events first.

    Whoever looks at a product a thousand times a day says little more than who looks a few times.
    """

    weights: Mapping[Any, float]  # by type of event
    weight: float = 2.0  # a purchase, the basket before it and a view come to less
    name: str = "daily_cap"

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise BadInputError(f"weight must be above zero, not {self.weight}")

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        amounts = np.rint(events.weighed(self.weights) * events.shares / GRAIN).astype(np.int64)
        days = np.floor(events.timestamps / DAY)
        counted = np.flatnonzero(amounts > 0)
        keys = (column[counted] for column in (events.timestamps, -amounts, days, events.items, events.users))
        order = counted[np.lexsort((counted, *keys))]
        first = np.flatnonzero(~same_as_before(order, events.users, events.items, days))
        before = np.cumsum(amounts[order]) - amounts[order]
        before -= np.repeat(before[first], np.diff(np.append(first, order.size)))
        room = np.clip(round(self.weight / GRAIN) - before, 0, amounts[order])
        shares = events.shares.copy()
        shares[order] *= room / amounts[order]
        changed = shares != events.shares
        return Outcome(events.changed(shares=shares), ~(changed & (shares <= 0)), changed)


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
    repeats[order] = same_as_before(order, *columns) & (gaps <= seconds)
    return repeats


def _close_together(events: EventBatch, seconds: float) -> npt.NDArray[np.int64]:
    """Rows with another event of the shopper within ``seconds``: the few that are worth a sort by all columns."""
    order = np.lexsort((events.timestamps, events.users))
    gaps = np.diff(events.timestamps[order], prepend=np.nan)
    after = same_as_before(order, events.users) & (gaps <= seconds)
    close = after.copy()
    close[:-1] |= after[1:]
    return np.asarray(order[close])
