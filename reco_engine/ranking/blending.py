"""The learned additive blend: how much each recommender counts, by how much history there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import SECONDS_A_DAY, History, Interactions
from reco_engine.data.metrics import ndcg_at
from reco_engine.recommenders.base import Recommender
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids

BUCKETS = (1, 10)  # history sizes at which the next bucket begins: none, some, enough
DEFAULT_WEIGHTS: Mapping[str, tuple[float, float, float]] = {
    "popularity": (1.0, 0.5, 0.2),
    "content": (0.0, 0.6, 0.3),
    "item_cf": (0.0, 0.6, 1.0),
    "user_cf": (0.0, 0.3, 0.8),
    "behaviour_mlp": (0.0, 0.2, 0.6),
    "content_mlp": (0.0, 0.2, 0.2),
}
STEPS = (0.0, 0.5, 1.5, 2.5)


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


Case = tuple[History, frozenset[Hashable]]
"""A history up to an instant, and what was new to it and taken after."""


def later_cases(
    interactions: Interactions, *, at: float, holdout_days: float, n_cases: int, rng: np.random.Generator
) -> tuple[Interactions, list[Case]]:
    """Cut ``holdout_days`` off the end: what was before, and cases of users with history on both sides."""
    cut = at - holdout_days * SECONDS_A_DAY
    before = interactions.where(interactions.timestamps < cut)
    after = interactions.where(interactions.timestamps >= cut)
    shared = np.intersect1d(before.user_ids, after.user_ids)
    chosen = np.sort(rng.permutation(shared)[:n_cases])
    cases = []
    for user in chosen:
        mine = before.users == np.searchsorted(before.user_ids, user)
        later = after.users == np.searchsorted(after.user_ids, user)
        items = before.item_ids[before.items[mine]].tolist()
        history = History(items, before.timestamps[mine].tolist(), before.weights[mine].tolist())
        new = frozenset(after.item_ids[after.items[later]].tolist()) - set(items)
        if new:
            cases.append((history, new))
    return before, cases


def fit_blend(
    factories: Mapping[str, Callable[[], Recommender]],
    interactions: Interactions,
    catalogue: Catalogue | None,
    *,
    seed: int = 0,
    at: float | None = None,
    holdout_days: float = 21.0,
    n_cases: int = 250,
    progress: Callable[[float], None] | None = None,
) -> Blend:
    """Fit the parts up to a cut, and the weights on what users took anew after it.

    Coordinate ascent from the default weights on NDCG@10, for histories of ten events or more; smaller
    ones keep the defaults, which lead with popularity and content.
    """
    instant = interactions.instant(at)
    before, cases = later_cases(
        interactions, at=instant, holdout_days=holdout_days, n_cases=n_cases, rng=generator(seed, "blend cases")
    )
    cut = instant - holdout_days * SECONDS_A_DAY
    parts = {}
    for done, (name, factory) in enumerate(sorted(factories.items())):
        parts[name] = factory().fit(before, catalogue, seed=seed, at=cut)
        if progress is not None:
            progress(0.8 * (done + 1) / len(factories))
    pools = [_pool(parts, history, cut) for history, _ in cases]
    blend = Blend.default({name: _scale([pool[1][name] for pool in pools]) for name in parts})
    if not cases:
        return blend
    names = [str(name) for name in blend.parts_]
    weights = blend.weights_[:, -1].copy()

    def quality(candidate: Floats) -> float:
        return float(
            np.mean(
                [
                    _ndcg(pool, names, candidate * blend.scales_, new)
                    for pool, (_, new) in zip(pools, cases, strict=True)
                ]
            )
        )

    best = quality(weights)
    for _ in range(2):
        for i in range(len(names)):
            for step in STEPS:
                trial = weights.copy()
                trial[i] = max(weights[i], 0.1) * step
                if trial.sum() > 0 and (value := quality(trial)) > best:
                    best, weights = value, trial
    blend.weights_[:, -1] = weights / weights.sum()
    if progress is not None:
        progress(1.0)
    return blend


Pool = tuple[Sequence[Hashable], dict[str, npt.NDArray[np.float64]]]


def _pool(parts: Mapping[str, Recommender], history: History, at: float, size: int = 200) -> Pool:
    """Each part's best new items, and what every part says of all of them (0 for "no opinion")."""
    seen = set(history.items)
    chosen: set[Hashable] = set()
    for part in parts.values():
        row = np.nan_to_num(part.score([history], at=at)[0], nan=-np.inf)
        best = np.argpartition(-row, min(size, row.size - 1))[:size]
        chosen.update(part.item_ids[best[np.isfinite(row[best])]].tolist())
    items = sorted(chosen - seen, key=str)
    return items, {
        name: np.nan_to_num(part.score([history], items=items, at=at)[0].astype(np.float64))
        for name, part in parts.items()
    }


def _scale(rows: Sequence[npt.NDArray[np.float64]]) -> float:
    tops = [float(np.abs(row).max()) for row in rows if row.size]
    typical = float(np.median(tops)) if tops else 1.0
    return 1.0 / typical if typical > 0 else 1.0


def _ndcg(pool: Pool, names: Sequence[str], factors: Floats, new: frozenset[Hashable]) -> float:
    items, scores = pool
    total = np.sum([scores[name] * factor for name, factor in zip(names, factors, strict=True)], axis=0)
    top = np.argsort(-total, kind="stable")[:10]
    return ndcg_at([items[i] for i in top], new, 10)
