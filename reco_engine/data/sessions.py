"""Visits: what a shopper did without a long silence in between, told from the times alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import Ids

from .events import same_as_before
from .interactions import _ids

SILENCE = 1_800.0
"""Seconds without an event after which a visit has ended."""
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sessions:
    """Visits of one or many shoppers, by shopper and then by time.

    Attributes:
        first: The row of each session's first event, which names it, shape (n_sessions,).
        last: The row of its last event, shape (n_sessions,).
        sizes: How many events it has, shape (n_sessions,).
        of: The session of each event, as a place in ``first``, shape (n_events,).
    """

    first: Places
    last: Places
    sizes: Places
    of: Places

    def __len__(self) -> int:
        return int(self.first.size)


def sessions(users: Any, timestamps: Any, ids: Any, *, silence: float = SILENCE) -> Sessions:
    """Cut each shopper's events into visits, wherever more than ``silence`` seconds lie between two.

    The order in which events arrive makes no difference: a late one within a gap joins the visits on both sides,
    and the joined visit has the name of the earlier one.

    Args:
        users: Whose event each is, integers or strings, shape (n_events,).
        timestamps: Unix seconds, shape (n_events,).
        ids: What each event is called; of those of one moment, the least is the first.
    Raises:
        BadInputError: If lengths differ, a time is NaN or infinite, or ``silence`` is below zero.
    """
    whose, names, times = _ids(users), _ids(ids), np.asarray(timestamps, dtype=np.float64)
    if not (whose.shape == names.shape == times.shape):
        raise BadInputError(
            f"users, timestamps and ids must be of one length, not {whose.size, times.size, names.size}"
        )
    if not np.all(np.isfinite(times)):
        raise BadInputError("timestamps has NaN or infinite values; drop those events first")
    if not silence >= 0:
        raise BadInputError(f"silence must be zero seconds or more, not {silence}")
    order = np.lexsort((names, times, whose))
    goes_on = same_as_before(order, whose) & (np.diff(times[order], prepend=np.nan) <= silence)
    starts = np.flatnonzero(~goes_on)
    ends = np.append(starts[1:], order.size)[: starts.size]
    of = np.empty(order.size, dtype=np.int64)
    of[order] = np.cumsum(~goes_on) - 1
    return Sessions(first=order[starts], last=order[ends - 1], sizes=ends - starts, of=of)


def session_names(found: Sessions, ids: Ids) -> Ids:
    """The name of each event's session: the id of its first event, shape (n_events,)."""
    return np.asarray(ids)[found.first][found.of]
