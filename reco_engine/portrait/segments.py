"""Groups of shoppers who buy alike, found in what they do and named by rule from their centres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

FEATURES = ("away", "orders", "spent", "basket")
"""Days since the last purchase, orders, hundredths spent, pieces an order; each as its logarithm."""

PARTS = {
    "away": ("lately", "away"),
    "orders": ("seldom", "often"),
    "spent": ("little_money", "much_money"),
    "basket": ("small_baskets", "big_baskets"),
}
"""What a centre below and above the middle shopper is called, by feature."""

TYPICAL = "typical"
TELLING = 0.25
"""How far from the middle shopper a centre is told of, in spreads."""

MOST, SAMPLE = 6, 2000
"""Most groups, and shoppers that the silhouette is measured on."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What groups are found in, of several shoppers: arrays of shape (n_shoppers,).

    Attributes:
        away: Days since the last purchase, zero or more.
        orders, pieces: How many, at least one order each.
        spent: Hundredths of the shop's currency; below zero counts as nothing.
    """

    away: npt.NDArray[np.int64]
    orders: npt.NDArray[np.int64]
    spent: npt.NDArray[np.int64]
    pieces: npt.NDArray[np.int64]

    def logarithms(self) -> Floats:
        """Shape (n_shoppers, 4), in the order of FEATURES."""
        columns = (self.away, self.orders, self.spent, self.pieces / np.maximum(self.orders, 1))
        return np.log1p(np.maximum(np.column_stack(columns).astype(np.float64), 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """Centres of groups, largest group first.

    Attributes:
        middle, spread: Median and interquartile range of each logarithm.
        centres: One row a group, in spreads from the middle.
        names: Parts of each group's name, no two alike.
        sizes: Shoppers in each group when it was found.
        silhouette: How well the groups are parted, -1 to 1.
    """

    middle: tuple[float, ...]
    spread: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]
    names: tuple[tuple[str, ...], ...]
    sizes: tuple[int, ...]
    silhouette: float

    def groups(self, habits: Habits) -> npt.NDArray[np.int64]:
        """The group whose centre is nearest to each shopper, shape (n_shoppers,)."""
        places = (habits.logarithms() - np.asarray(self.middle)) / np.asarray(self.spread)
        centres = np.asarray(self.centres)
        distances = ((places[:, None, :] - centres[None]) ** 2).sum(axis=2)
        return np.asarray(distances.argmin(axis=1), np.int64)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Segmentation:
        lists = ("middle", "spread", "sizes")
        return cls(
            **{name: tuple(content[name]) for name in lists},
            centres=tuple(tuple(each) for each in content["centres"]),
            names=tuple(tuple(each) for each in content["names"]),
            silhouette=content["silhouette"],
        )


def found_segments(habits: Habits, *, min_size: int = 5, seed: int = 0) -> Segmentation | None:
    """The groups, two to MOST of them, that part these shoppers best; the same shoppers give the same groups.

    Of each number of groups the k-means solution is judged by its silhouette; one with a group of fewer than
    ``min_size`` shoppers, or with two groups that the same words would name, is passed over.

    Returns:
        None where no number of groups passes: too few shoppers, or all alike.
    Source:
        Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis",
        Journal of Computational and Applied Mathematics 20, 1987.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    raw = habits.logarithms()
    if len(raw) < 2 * min_size:
        return None
    middle = np.median(raw, axis=0)
    spread = np.subtract(*np.percentile(raw, [75, 25], axis=0))
    spread = np.where(spread > 1e-9, spread, np.where(raw.std(axis=0) > 1e-9, raw.std(axis=0), 1.0))
    points = (raw - middle) / spread
    best: Segmentation | None = None
    with threadpool_limits(limits=1):
        for n in range(2, min(MOST, len(np.unique(points, axis=0)) - 1) + 1):
            model = KMeans(n, n_init=10, random_state=seed).fit(points)
            sizes = np.bincount(model.labels_, minlength=n)
            order = sorted(range(n), key=lambda group: (-sizes[group], tuple(model.cluster_centers_[group])))
            centres = np.round(model.cluster_centers_[order], 6)
            names = named(centres)
            if sizes.min() < min_size or names is None:
                continue
            sample = min(SAMPLE, len(points))
            parted = float(silhouette_score(points, model.labels_, sample_size=sample, random_state=seed))
            if best is None or parted > best.silhouette:
                best = Segmentation(
                    middle=tuple(middle.tolist()),
                    spread=tuple(spread.tolist()),
                    centres=tuple(map(tuple, centres.tolist())),
                    names=names,
                    sizes=tuple(int(sizes[group]) for group in order),
                    silhouette=round(parted, 6),
                )
    return best


def named(centres: Floats) -> tuple[tuple[str, ...], ...] | None:
    """Parts of a name for each centre, true of it and like no other's; None where there are not enough."""
    taken: list[tuple[str, ...]] = []
    for centre in centres:
        strongest = np.argsort(-np.abs(centre), kind="stable")
        parts = [PARTS[FEATURES[each]][int(centre[each] > 0)] for each in strongest if abs(centre[each]) >= TELLING]
        choices = [*combinations(parts, 2), *((part,) for part in parts)] or [(TYPICAL,)]
        free = next((choice for choice in choices if set(choice) not in map(set, taken)), None)
        if free is None:
            return None
        taken.append(free)
    return tuple(taken)
