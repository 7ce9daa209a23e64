"""What shoppers did, as arrays: the training data (Interactions) and one live shopper (History)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.errors import BadInputError
from reco_engine.types import Codes, Floats, Ids

SECONDS_A_DAY = 86_400.0
T = TypeVar("T")


def _column(name: str, values: Any, size: int, default: float) -> npt.NDArray[np.float64]:
    column = np.full(size, default) if values is None else np.asarray(values, dtype=np.float64)
    if column.shape != (size,):
        raise BadInputError(f"{name} must have one value per interaction: {size}, not {column.shape}")
    if not np.all(np.isfinite(column)):
        raise BadInputError(f"{name} has NaN or infinite values; drop or fill those rows first")
    return column


def _finite_instant(at: float) -> float:
    if not math.isfinite(at):
        raise BadInputError(f"at must be a finite number of unix seconds, not {at}")
    return float(at)


def _ids(values: Any) -> Ids:
    """Ids as a sortable array: integers or strings, never objects."""
    ids = np.asarray(values) if len(values) else np.empty(0, np.int64)
    if ids.dtype.kind == "O":
        ids = np.asarray([str(value) for value in values])
    if ids.ndim != 1:
        raise BadInputError(f"ids must be a flat sequence, not {ids.ndim}-dimensional")
    if ids.dtype.kind not in "iuUS":
        raise BadInputError(f"ids must be integers or strings, not {ids.dtype}")
    return ids


@dataclass(frozen=True)
class Interactions:
    """Weighted, dated pairs of user and item in canonical order: time, then user, then item.

    ``users`` and ``items`` are codes into the sorted ``user_ids`` and ``item_ids``.
    """

    users: Codes
    items: Codes
    timestamps: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    ratings: npt.NDArray[np.float64] | None
    user_ids: Ids
    item_ids: Ids
    dated: bool

    @classmethod
    def from_arrays(
        cls,
        users: Any,
        items: Any,
        timestamps: Any = None,
        weights: Any = None,
        ratings: Any = None,
    ) -> Interactions:
        """Build from flat sequences of one length.

        Args:
            users: Integers or strings, shape (n,).
            items: Integers or strings, shape (n,).
            timestamps: Unix seconds, shape (n,).
            weights: How much each counts, zero or more, shape (n,); 1 when missing.
            ratings: What the user said, shape (n,).
        Raises:
            BadInputError: If lengths differ, a value is NaN or infinite, or a weight is negative.
        """
        user_column, item_column = _ids(users), _ids(items)
        if user_column.size != item_column.size:
            raise BadInputError(f"items must have one value per user: {user_column.size}, not {item_column.size}")
        size = user_column.size
        times = _column("timestamps", timestamps, size, 0.0)
        amounts = _column("weights", weights, size, 1.0)
        if np.any(amounts < 0):
            raise BadInputError("weights must be zero or more; a dislike is no negative weight")
        stars = None if ratings is None else _column("ratings", ratings, size, 0.0)
        user_ids, user_codes = np.unique(user_column, return_inverse=True)
        item_ids, item_codes = np.unique(item_column, return_inverse=True)
        order = np.lexsort((amounts, item_codes, user_codes, times))
        return cls(
            users=user_codes[order].astype(np.int32),
            items=item_codes[order].astype(np.int32),
            timestamps=times[order],
            weights=amounts[order],
            ratings=None if stars is None else stars[order],
            user_ids=user_ids,
            item_ids=item_ids,
            dated=timestamps is not None,
        )

    def __len__(self) -> int:
        return int(self.users.size)

    @property
    def n_users(self) -> int:
        return int(self.user_ids.size)

    @property
    def n_items(self) -> int:
        return int(self.item_ids.size)

    def instant(self, at: float | None) -> float:
        """The moment that ages count from: ``at``, else the newest interaction."""
        if at is not None:
            return _finite_instant(at)
        return float(self.timestamps.max()) if len(self) else 0.0

    def ages(self, at: float | None = None) -> npt.NDArray[np.float64]:
        """Days since each interaction, zero or more, shape (n,)."""
        return np.maximum(self.instant(at) - self.timestamps, 0.0) / SECONDS_A_DAY

    def where(self, keep: npt.NDArray[np.bool_]) -> Interactions:
        """Those that ``keep`` marks, with ids that no longer occur left out."""
        users, items = self.users[keep], self.items[keep]
        used_users = np.bincount(users, minlength=self.n_users) > 0
        used_items = np.bincount(items, minlength=self.n_items) > 0
        return Interactions(
            users=(np.cumsum(used_users) - 1)[users].astype(np.int32),
            items=(np.cumsum(used_items) - 1)[items].astype(np.int32),
            timestamps=self.timestamps[keep],
            weights=self.weights[keep],
            ratings=None if self.ratings is None else self.ratings[keep],
            user_ids=self.user_ids[used_users],
            item_ids=self.item_ids[used_items],
            dated=self.dated,
        )

    def sample(self, n_pairs: int, rng: np.random.Generator) -> Interactions:
        """All interactions of some users, drawn at random, so that they make at most ``n_pairs`` pairs of one user's.

        Such pairs, not the interactions, are what it costs to learn who took what with what.
        """
        pairs = np.bincount(self.users, minlength=self.n_users).astype(np.int64) ** 2
        if pairs.sum() <= n_pairs:
            return self
        order = rng.permutation(self.n_users)
        drawn = np.zeros(self.n_users, dtype=bool)
        drawn[order[np.cumsum(pairs[order]) <= n_pairs]] = True
        return self.where(drawn[self.users])

    def matrix(self, weights: npt.NDArray[np.float64] | None = None) -> sparse.csr_matrix:
        """Users by items, repeats summed, shape (n_users, n_items), float64."""
        values = self.weights if weights is None else weights
        matrix = sparse.csr_matrix((values, (self.users, self.items)), shape=(self.n_users, self.n_items))
        matrix.sum_duplicates()
        return matrix

    def matrix_over(self, item_ids: Ids, factors: Floats) -> sparse.csr_matrix:
        """Users by other, sorted ``item_ids``, weights times ``factors``; items not among them are left out."""
        places = codes_of(item_ids, self.item_ids)[self.items]
        known = places >= 0
        values = (self.weights * factors)[known]
        matrix = sparse.csr_matrix((values, (self.users[known], places[known])), shape=(self.n_users, item_ids.size))
        matrix.sum_duplicates()
        return matrix

    def takers_over(self, item_ids: Ids, factors: Floats) -> npt.NDArray[np.float64]:
        """How many users took each of ``item_ids``, weights times ``factors``, a user once an item at most."""
        matrix = self.matrix_over(item_ids, factors)
        matrix.data = np.minimum(matrix.data, 1.0)
        return np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()

    @cached_property
    def newest(self) -> float | None:
        """Unix seconds of the newest interaction; None when there is none, or none is dated."""
        return float(self.timestamps.max()) if self.dated and len(self) else None


@dataclass(frozen=True)
class History:
    """One shopper, live: what they touched, when, how much it counts, and the segment or market they belong to."""

    items: Sequence[Hashable]
    timestamps: Sequence[float] | None = None
    weights: Sequence[float] | None = None
    segment: Hashable | None = field(default=None, kw_only=True)
    _known: dict[tuple[int, Hashable], tuple[object, Any]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        size = len(self.items)
        if self.timestamps is not None:
            _column("timestamps", self.timestamps, size, 0.0)
        if self.weights is not None and np.any(_column("weights", self.weights, size, 1.0) < 0):
            raise BadInputError("weights must be zero or more; a dislike is no negative weight")

    def __len__(self) -> int:
        return len(self.items)

    def ages(self, at: float | None) -> npt.NDArray[np.float64]:
        """Days since each entry, zero or more; all zero where nothing is dated or ``at`` is missing."""
        if self.timestamps is None:
            return np.zeros(len(self.items))
        times = np.asarray(self.timestamps, dtype=np.float64)
        now = _finite_instant(at) if at is not None else (float(times.max()) if times.size else 0.0)
        return np.maximum(now - times, 0.0) / SECONDS_A_DAY

    def once(self, owner: object, key: Hashable, work: Callable[[], T]) -> T:
        """What ``work`` returns, done once in the life of this history for each learned ``owner`` and ``key``.

        Scoring and explaining one list read the same history several times. The owner is kept alive, so that
        no later one can be taken for it.
        """
        known = self._known.get((id(owner), key))
        if known is None:
            known = self._known[id(owner), key] = (owner, work())
        return cast("T", known[1])

    def values(self) -> npt.NDArray[np.float64]:
        return _column("weights", self.weights, len(self.items), 1.0)


def codes_of(item_ids: Ids, wanted: Sequence[Hashable] | Ids) -> npt.NDArray[np.int64]:
    """Places of ``wanted`` in the sorted ``item_ids``, -1 where unknown, shape (len(wanted),)."""
    if len(wanted) == 0 or item_ids.size == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    values = np.asarray(wanted)
    if values.dtype.kind != item_ids.dtype.kind and {values.dtype.kind, item_ids.dtype.kind} - set("iu"):
        if item_ids.dtype.kind in "iu":
            return _codes_of_mixed(item_ids, wanted)
        values = np.asarray([str(value) for value in wanted])
    places = np.minimum(np.searchsorted(item_ids, values), item_ids.size - 1)
    return np.where(item_ids[places] == values, places, -1).astype(np.int64)


def _codes_of_mixed(item_ids: Ids, wanted: Sequence[Hashable] | Ids) -> npt.NDArray[np.int64]:
    """As ``codes_of`` for ids of several types among integers: one that is no integer hides no other one."""
    places = np.full(len(wanted), -1, dtype=np.int64)
    whole = [
        place
        for place, value in enumerate(wanted)
        if isinstance(value, int | np.integer) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    ]
    places[whole] = codes_of(item_ids, np.asarray([wanted[place] for place in whole], dtype=np.int64))
    return places
