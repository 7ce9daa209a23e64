"""The learned additive blend: how much each recommender counts, by how much history there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from reco_engine.types import Floats, Ids

BUCKETS = (1, 10, 100)
"""History sizes at which the next bucket begins: none, some, enough, much."""

DEFAULT_WEIGHTS: Mapping[str, tuple[float, float, float, float]] = {
    "popularity": (1.0, 0.5, 0.2, 0.1),
    "trending": (0.2, 0.2, 0.2, 0.2),
    "content": (0.0, 0.6, 0.3, 0.3),
    "item_cf": (0.0, 0.6, 1.0, 1.0),
    "user_cf": (0.0, 0.3, 0.8, 1.0),
    "behaviour_mlp": (0.0, 0.2, 0.6, 0.6),
    "content_mlp": (0.0, 0.2, 0.2, 0.2),
}
CONCAVE = frozenset({"content", "item_cf", "user_cf", "content_mlp"})
"""Parts whose scores are sums without a bound: a few items would drown what the other parts say of the rest."""
STEEPNESS = 50.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one part adds to the blend: ``weight x link(scale x raw)``.

    The link is the identity or, for a concave part, ``sign(x) log(1 + 50 |x|) / log(51)``: 0 at 0, 1 at 1.
    """

    weight: float
    scale: float
    concave: bool

    def points(self, raw: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Points of raw scores, NaN where they are, in the same shape."""
        scaled = raw.astype(np.float64) * self.scale
        if self.concave:
            scaled = np.sign(scaled) * np.log1p(STEEPNESS * np.abs(scaled)) / np.log1p(STEEPNESS)
        return np.asarray(self.weight * scaled)

    def ratios(self, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points per raw score: what each of a score's terms is multiplied with, so that they sum to the points."""
        steepest = STEEPNESS / np.log1p(STEEPNESS) if self.concave else 1.0
        flat = raw == 0.0
        return np.where(flat, self.weight * self.scale * steepest, self.points(raw) / np.where(flat, 1.0, raw))


def _no_starts() -> npt.NDArray[np.int64]:
    return np.zeros(len(BUCKETS) + 2, dtype=np.int64)


def _nothing() -> Floats:
    return np.empty(0)


@dataclass
class Blend:
    """``score = sum_p w_p(bucket) x link_p(scale_p x raw_p)``; weights of those that take part sum to 1.

    The scale is fixed when the blend is fitted (one over a part's typical best score), so that a part's raw
    scores mean the same from version to version.
    """

    name: ClassVar[str] = "hybrid"

    parts_: Ids = field(init=False, repr=False)
    scales_: Floats = field(init=False, repr=False)
    weights_: Floats = field(init=False, repr=False)  # shape (n_parts, n_buckets)
    # what Silence learnt of the scores that this blend gives; empty where nothing was
    silence_starts_: npt.NDArray[np.int64] = field(init=False, repr=False, default_factory=_no_starts)
    silence_scores_: Floats = field(init=False, repr=False, default_factory=_nothing)
    silence_chances_: Floats = field(init=False, repr=False, default_factory=_nothing)

    @classmethod
    def default(cls, scales: Mapping[str, float]) -> Blend:
        """The blend before anything was measured."""
        blend = cls()
        names = sorted(name for name in scales if name in DEFAULT_WEIGHTS)
        blend.parts_ = np.asarray(names, dtype="U32")
        blend.scales_ = np.asarray([scales[name] for name in names])
        blend.weights_ = np.asarray([DEFAULT_WEIGHTS[name] for name in names]).reshape(len(names), len(BUCKETS) + 1)
        return blend

    def shares(self, history_size: int, taking_part: Collection[str]) -> dict[str, Share]:
        """What each part adds; parts that are missing leave their weight to the rest."""
        bucket = int(np.searchsorted(BUCKETS, history_size, side="right"))
        weights = {
            str(name): float(self.weights_[i, bucket])
            for i, name in enumerate(self.parts_)
            if name in taking_part and self.weights_[i, bucket] > 0
        }
        total = sum(weights.values())
        scales = {str(name): float(scale) for name, scale in zip(self.parts_, self.scales_, strict=True)}
        return {name: Share(weight / total, scales[name], name in CONCAVE) for name, weight in weights.items()}
