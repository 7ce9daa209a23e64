"""All interactions of some shoppers, as many as memory is to hold, drawn while everybody's go by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import Interactions
from reco_engine.spark import Part


class Sample:
    """Keeps whole shoppers by a hash of their key; everybody while they fit, then half as many each time it is full."""

    def __init__(self, most: int) -> None:
        """``most`` interactions are kept, or those of one shopper."""
        self._most, self._share, self._size = most, 1.0, 0
        self._parts = [Part(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))]

    def take(self, part: Part) -> None:
        """See the interactions of some shoppers, each shopper's all at once or in several parts."""
        self._add(part)
        while self._size > self._most and self._share > 1e-9:
            self._share /= 2
            parts, self._parts, self._size = self._parts, self._parts[:1], 0
            for each in parts[1:]:
                self._add(each)

    def interactions(self) -> Interactions:
        """Those of the shoppers who were drawn, in canonical order; the same whatever the parts."""
        columns = zip(*((part.users, part.items, part.timestamps, part.weights) for part in self._parts), strict=True)
        return Interactions.from_arrays(*(np.concatenate(column) for column in columns))

    def _add(self, part: Part) -> None:
        drawn = _places(part.users) < self._share
        some = Part(part.users[drawn], part.items[drawn], part.timestamps[drawn], part.weights[drawn])
        if len(some):
            self._parts.append(some)
            self._size += len(some)


def _places(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Where each key falls between 0 and 1, as if by chance (the mixing steps of SplitMix64)."""
    mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))) / 2.0**64
