"""Shoppers who do more than a person can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import UserId

from .cleaning import Outcome
from .events import EventBatch, same_as_before

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Burst:
    """The newest window of time in which a shopper did more than a person can.

    Attributes:
        user: Who.
        seconds: Length of the window.
        acts: What was done in it.
        most: What a person does in it at most.
        ended: Unix seconds of the last act in it.
    """

    user: UserId
    seconds: float
    acts: int
    most: int
    ended: float


@dataclass(frozen=True)
class Bots:
    """Drop all events of shoppers who do more in some window of time than a person can.

    The lines of one order at one moment are one act. Where dates have no hours, a busy day looks like one
    moment: give limits by the day only.
    """

    limits: tuple[tuple[float, int], ...] = ((60.0, 100), (3_600.0, 1_500), (DAY, 8_000))  # seconds, most acts
    name: str = "bots"

    def __post_init__(self) -> None:
        pairs = [tuple(limit) for limit in self.limits]
        if not pairs or any(len(pair) != 2 or not pair[0] > 0 or pair[1] < 1 for pair in pairs):
            raise BadInputError("limits must be pairs of seconds above zero and the most acts in them, 1 or more")

    @property
    def depth(self) -> int:
        """Newest acts of a shopper that tell whether they are one now."""
        return max(most for _, most in self.limits) + 1

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        machines: Any = [burst.user for burst in self.bursts(events)]
        found = np.isin(events.users, machines) if machines else np.zeros(len(events), dtype=bool)
        return Outcome.kept(events, ~found)

    def bursts(self, events: EventBatch) -> list[Burst]:
        """One for each bot: the newest, of the shortest window that it is too much for."""
        users = np.unique(events.users, return_inverse=True)[1]
        order = np.lexsort((events.orders, events.timestamps, users))
        again = same_as_before(order, users, events.timestamps, events.orders)
        acts = order[~(again & events.ordered()[order])]
        who, when = users[acts], events.timestamps[acts]
        found: dict[int, Burst] = {}
        for seconds, most in sorted(self.limits):
            first, last = np.arange(max(acts.size - most, 0)), np.arange(most, acts.size)
            ends = last[(who[first] == who[last]) & (when[last] - when[first] < seconds)]
            for end in ends[np.append(who[ends][1:] != who[ends][:-1], True)[: ends.size]].tolist():
                n = _since(who, when, end, seconds)
                burst = Burst(events.users[acts[end]].item(), seconds, n, most, float(when[end]))
                found.setdefault(int(who[end]), burst)
        return [found[mine] for mine in sorted(found)]


def _since(who: npt.NDArray[np.int64], when: npt.NDArray[np.float64], end: int, seconds: float) -> int:
    """Acts of the shopper of ``end`` in the ``seconds`` before it, itself among them."""
    start = int(np.searchsorted(who, who[end]))
    return end + 1 - start - int(np.searchsorted(when[start : end + 1], when[end] - seconds, side="right"))
