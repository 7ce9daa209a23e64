"""The door between event rows and the engine's arrays: what a shopper did, cleaned."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from reco_engine.data.cleaning import Rule
from reco_engine.data.cleaning_rules import ImpossibleTimes
from reco_engine.data.cleaning_settings import rule_of, shopper_rules
from reco_engine.data.events import EventBatch
from reco_engine.data.interactions import History
from reco_engine.data.sessions import sessions
from shop_reco.conf import RecoSettings, reco_settings
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from .models import Event
from .selectors import EventRow, newest_rows, newest_visits

TYPES = {name: code for code, name in enumerate(Event.Type.values, start=1)}
"""What types are called in the engine's batches; a type that is none is 0."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Rows of events as arrays, each of shape (n_events,)."""

    items: npt.NDArray[np.int64]
    types: npt.NDArray[np.int8]
    timestamps: npt.NDArray[np.float64]
    quantities: npt.NDArray[np.float64]
    prices: npt.NDArray[np.float64]
    ratings: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int64]

    @classmethod
    def of(cls, columns: Sequence[Sequence[Any]]) -> Columns:
        """From the columns of ``EventRow``s; what is not known is NaN, what is known and no number is infinite."""
        named = dict(zip(EventRow._fields, columns, strict=False))
        size = len(named["item"])
        return cls(
            items=np.fromiter(named["item"], np.int64, size),
            types=np.fromiter((TYPES.get(name, 0) for name in named["type"]), np.int8, size),
            timestamps=np.asarray(named["second"], dtype=np.float64),
            quantities=_numbers(named["pieces"]),
            prices=_numbers(named["paid"]),
            ratings=_numbers(named["stars"]),
            # an order is compared with others of this batch alone
            orders=np.fromiter((hash(order) if order else 0 for order in named["order"]), np.int64, size),
        )

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Several one after the other; none of them makes none."""
        some = parts or [cls.of([()] * len(EventRow._fields))]
        return cls(*(np.concatenate([getattr(part, each.name) for part in some]) for each in fields(cls)))

    def where(self, rows: npt.NDArray[Any]) -> Columns:
        """Those that a mask marks, or those at some places."""
        return Columns(*(getattr(self, each.name)[rows] for each in fields(self)))

    def batch(self, users: npt.NDArray[np.int64]) -> EventBatch:
        return EventBatch(
            users=users,
            items=self.items,
            types=self.types,
            timestamps=self.timestamps,
            quantities=self.quantities,
            prices=self.prices,
            ratings=self.ratings,
            orders=self.orders,
            rows=np.arange(self.items.size),
            shares=np.ones(self.items.size),
        )


def _numbers(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    """A NaN that a database keeps (PostgreSQL does) is infinite: to the rules NaN is unknown, and nothing wrong."""
    numbers = np.asarray(values, dtype=np.float64)
    if np.count_nonzero(np.isnan(numbers)) > values.count(None):
        numbers[[value is not None and math.isnan(value) for value in values]] = np.inf
    return numbers


def rules_of(reco: RecoSettings) -> tuple[Rule, ...]:
    """What is wrong with one shopper's events, live and in training, in order."""
    return shopper_rules(reco.CLEANING, weights=weights_of(reco), types=TYPES)


def weights_of(reco: RecoSettings) -> dict[int, float]:
    """EVENT_WEIGHTS by the engine's name of each type, those above zero."""
    return {TYPES[name]: weight for name, weight in reco.EVENT_WEIGHTS.items() if weight > 0 and name in TYPES}


def possible_times(reco: RecoSettings) -> ImpossibleTimes | None:
    """The rule of impossible times, a clock's skew ahead of now at most; None where it is off."""
    given: Any = reco.CLEANING.get("impossible_times", True)
    mine = given if given is False else {"ahead": reco.CLOCK_SKEW, **(given if isinstance(given, Mapping) else {})}
    rule: ImpossibleTimes | None = rule_of({"impossible_times": mine}, "impossible_times")
    return rule


def live_history(*, shopper_ids: Sequence[int], at: float | None = None, arrived: Q | None = None) -> History:
    """The newest events of a linked set as the recommenders see them: cleaned as training's are; one query.

    Nothing is learnt from a sensitive product, nor for a shopper from theirs: no neighbourhood and no reason can
    come of it. That is no rule to switch off.

    Args:
        at: Unix seconds; now when missing.
        arrived: Narrows it to the events that had arrived at some earlier moment.
    """
    reco, now = reco_settings(), time.time() if at is None else at
    times = possible_times(reco)
    rows = newest_rows(
        shopper_ids=shopper_ids,
        since=None if times is None else _moment(times.earliest),
        until=None if times is None else _moment(now + times.ahead),
        limit=reco.HISTORY_EVENTS,
        arrived=arrived,
    )
    if not rows:
        return History([], [], [])
    columns = Columns.of(list(zip(*rows[::-1], strict=True)))
    events = columns.batch(np.zeros(len(rows), dtype=np.int64))
    events = events.where(np.isfinite(events.timestamps))
    for rule in rules_of(reco):
        outcome = rule(events, now)
        events = outcome.events.where(outcome.keep)
    return events.history(weights_of(reco))


def _moment(second: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(second, dt.UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """One visit of a shopper: the event that names it, its first and last moment, and what happened in it."""

    first: UUID
    started_at: dt.datetime
    ended_at: dt.datetime
    events: int
    channels: tuple[str, ...]
    types: tuple[str, ...]  # of its events, in order


def sessions_of(*, shopper: Shopper, limit: int = 20) -> list[Session]:
    """The newest visits of a shopper and of the visitors found to be them, newest first; two queries.

    Derived from the newest HISTORY_EVENTS events and kept nowhere; a visit that began before these is left out.
    """
    most = reco_settings().HISTORY_EVENTS
    rows = newest_visits(shopper_ids=linked_ids(shopper=shopper), limit=most + 1)
    dated = [row for row in rows if row[2] is not None and np.isfinite(row[2])][::-1]
    if not dated:
        return []
    found = sessions(np.zeros(len(dated), dtype=np.int64), [row[2] for row in dated], [row[1] for row in dated])
    places = range(len(found) - 1, 0 if len(rows) > most else -1, -1)
    return [_session([dated[row] for row in np.flatnonzero(found.of == place)]) for place in list(places)[:limit]]


def _session(rows: Sequence[Any]) -> Session:
    return Session(
        first=rows[0][0],
        started_at=rows[0][3],
        ended_at=rows[-1][3],
        events=len(rows),
        channels=tuple(sorted({row[4] for row in rows})),
        types=tuple(row[5] for row in rows),
    )
