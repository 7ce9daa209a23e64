"""What shoppers did as the shop reported it, as columns: what cleaning works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import Ids

from .interactions import History, Interactions, _ids

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EventBatch:
    """One row an event, in the order given, each array of shape (n_events,).

    Attributes:
        users, items: Integers or strings.
        types: Names as GA4 has them (``view_item``, ``purchase``, ``refund``, ...), or the shop's own codes.
        timestamps: Unix seconds.
        quantities: Pieces; NaN where the event says nothing of it, and so are ``prices`` and ``ratings``.
        prices: Of one piece, in the shop's currency.
        ratings: What the shopper said.
        orders: The order that an event belongs to, as a string or a number; empty or 0 where it belongs to none.
        rows: Where each event stood in what was first given, so that reports can point at it.
        shares: How much of its type's weight each event counts, 0 to 1.
    """

    users: Ids
    items: Ids
    types: Ids
    timestamps: Numbers
    quantities: Numbers
    prices: Numbers
    ratings: Numbers
    orders: Ids
    rows: npt.NDArray[np.int64]
    shares: Numbers

    @classmethod
    def from_arrays(
        cls,
        users: Any,
        items: Any,
        types: Any,
        timestamps: Any,
        quantities: Any = None,
        prices: Any = None,
        ratings: Any = None,
        orders: Any = None,
    ) -> EventBatch:
        """Build from flat sequences of one length; NaN and infinite numbers are let in, for cleaning to find.

        Raises:
            BadInputError: If lengths differ, ids are neither integers nor strings, or a number is none.
        """
        size = len(users)
        return cls(
            users=_named("users", users, size),
            items=_named("items", items, size),
            types=_named("types", types, size),
            timestamps=_numbers("timestamps", timestamps, size),
            quantities=_numbers("quantities", quantities, size),
            prices=_numbers("prices", prices, size),
            ratings=_numbers("ratings", ratings, size),
            orders=np.full(size, "") if orders is None else _orders(orders, size),
            rows=np.arange(size, dtype=np.int64),
            shares=np.ones(size),
        )

    def __len__(self) -> int:
        return int(self.users.size)

    def where(self, keep: Mask) -> EventBatch:
        """Those that ``keep`` marks."""
        if keep.all():
            return self
        return EventBatch(*(getattr(self, column.name)[keep] for column in fields(self)))

    def changed(self, **columns: Any) -> EventBatch:
        """The same events with other values in some columns."""
        return replace(self, **columns)

    def of_types(self, types: tuple[str | int, ...]) -> Mask:
        """Which events are of one of ``types``, shape (n_events,)."""
        return np.isin(self.types, np.asarray(types)) if types else np.zeros(len(self), dtype=bool)

    def ordered(self) -> Mask:
        """Which events name an order, shape (n_events,)."""
        return np.asarray(self.orders != np.zeros((), self.orders.dtype))

    def interactions(self, weights: Mapping[Any, float]) -> Interactions:
        """The events whose type has a weight, as dated pairs of shopper and item that count that much.

        Raises:
            BadInputError: If a time is NaN or infinite (cleaning drops those), or a weight is negative.
        """
        chosen, amounts = self._weighted(weights)
        return Interactions.from_arrays(chosen.users, chosen.items, chosen.timestamps, amounts)

    def history(self, weights: Mapping[Any, float]) -> History:
        """One shopper's events, oldest first, as the recommenders see them; otherwise as ``interactions``.

        Raises:
            BadInputError: If the events are of several shoppers.
        """
        if np.unique(self.users).size > 1:
            raise BadInputError("users must be one shopper; keep that shopper's events with where() first")
        chosen, amounts = self._weighted(weights)
        order = np.argsort(chosen.timestamps, kind="stable")
        return History(chosen.items[order].tolist(), chosen.timestamps[order].tolist(), amounts[order].tolist())

    def _weighted(self, weights: Mapping[Any, float]) -> tuple[EventBatch, Numbers]:
        chosen = self.where(self.of_types(tuple(weights)))
        return chosen, chosen.weighed(weights) * chosen.shares

    def weighed(self, weights: Mapping[Any, float]) -> Numbers:
        """The weight of each event's type, 0 where it has none, shape (n_events,)."""
        names, places = np.unique(self.types, return_inverse=True)
        return np.asarray([weights.get(name, 0.0) for name in names.tolist()], dtype=np.float64)[places]


def same_as_before(order: npt.NDArray[np.int64], *columns: Any) -> Mask:
    """Which rows, taken in ``order``, have all values of the row before them; NaN equals NaN."""
    same = np.ones(order.size, dtype=bool)
    same[:1] = False
    for column in columns:
        now, before = column[order[1:]], column[order[:-1]]
        equal = now == before
        same[1:] &= equal | (np.isnan(now) & np.isnan(before)) if column.dtype.kind == "f" else equal
    return same


def _orders(orders: Any, size: int) -> Ids:
    column = _named("orders", orders, size)
    return column if column.dtype.kind in "iuU" else column.astype(str)


def _named(name: str, values: Any, size: int) -> Ids:
    """Ids or names; None and NaN among them become empty."""
    column = np.asarray(values)
    if column.dtype.kind == "O":
        column = np.asarray(["" if value is None or value != value else str(value) for value in values])
    ids = _ids(column)
    _need_size(name, ids.shape, size)
    return ids


def _numbers(name: str, values: Any, size: int) -> Numbers:
    if values is None:
        return np.full(size, np.nan)
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{name} must be numbers, NaN where unknown: {error}") from error
    _need_size(name, numbers.shape, size)
    return numbers


def _need_size(name: str, shape: tuple[int, ...], size: int) -> None:
    if shape != (size,):
        raise BadInputError(f"{name} must have one value per event: {size}, not {shape}")
