"""The learned additive blend: how much each recommender counts, by how much history there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from reco_engine.types import Floats, Ids

BUCKETS = (1, 10, 100)
"""History sizes at which the next bucket begins: none, some, enough, much."""

DEFAULT_WEIGHTS: Mapping[str, tuple[float, float, float, float]] = {
    "popularity": (1.0, 0.5, 0.2, 0.1),
    "content": (0.0, 0.6, 0.3, 0.3),
    "item_cf": (0.0, 0.6, 1.0, 1.0),
    "user_cf": (0.0, 0.3, 0.8, 1.0),
    "behaviour_mlp": (0.0, 0.2, 0.6, 0.6),
    "content_mlp": (0.0, 0.2, 0.2, 0.2),
}


@dataclass
class Blend:
    """``score = sum_p w_p(bucket) x scale_p x raw_p``; weights of those that take part sum to 1.

    The scale is fixed when the blend is fitted (one over a part's typical best score), so that a part's raw
    scores mean the same from version to version.
    """

    name: ClassVar[str] = "hybrid"

    parts_: Ids = field(init=False, repr=False)
    scales_: Floats = field(init=False, repr=False)
    weights_: Floats = field(init=False, repr=False)  # shape (n_parts, n_buckets)

    @classmethod
    def default(cls, scales: Mapping[str, float]) -> Blend:
        """The blend before anything was measured."""
        blend = cls()
        names = sorted(name for name in scales if name in DEFAULT_WEIGHTS)
        blend.parts_ = np.asarray(names, dtype="U32")
        blend.scales_ = np.asarray([scales[name] for name in names])
        blend.weights_ = np.asarray([DEFAULT_WEIGHTS[name] for name in names]).reshape(len(names), len(BUCKETS) + 1)
        return blend

    def factors(self, history_size: int, taking_part: Collection[str]) -> dict[str, float]:
        """What to multiply each part's raw scores with; parts that are missing leave theirs to the rest."""
        bucket = int(np.searchsorted(BUCKETS, history_size, side="right"))
        shares = {
            str(name): float(self.weights_[i, bucket])
            for i, name in enumerate(self.parts_)
            if name in taking_part and self.weights_[i, bucket] > 0
        }
        total = sum(shares.values())
        scales = {str(name): float(scale) for name, scale in zip(self.parts_, self.scales_, strict=True)}
        return {name: share / total * scales[name] for name, share in shares.items()}
