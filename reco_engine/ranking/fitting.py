"""Learning the blend's weights from what users took after the parts were fitted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import SECONDS_A_DAY, Interactions
from reco_engine.data.splits import Case, later_cases
from reco_engine.recommenders.base import Recommender, best_places
from reco_engine.seeds import generator
from reco_engine.types import Floats

from .blending import BUCKETS, Blend

PROPOSED = 200
RIDGE = 0.01
ENOUGH = 20
"""Lists below which a bucket keeps the default weights."""


def fit_blend(
    factories: Mapping[str, Callable[[], Recommender]],
    interactions: Interactions,
    catalogue: Catalogue | None,
    *,
    seed: int = 0,
    at: float | None = None,
    holdout_days: float = 21.0,
    n_cases: int = 300,
    progress: Callable[[float], None] | None = None,
) -> Blend:
    """Fit the parts up to a cut, and the weights of each history size on what users took anew after it.

    Short histories are the newest events of longer ones. Weights that no case speaks for stay the default.
    """
    instant = interactions.instant(at)
    rng = generator(seed, "blend cases")
    before, cases = later_cases(interactions, at=instant, holdout_days=holdout_days, n_cases=n_cases, rng=rng)
    tell = progress or (lambda _: None)
    if not cases:
        return Blend.default(dict.fromkeys(factories, 1.0))
    cut = instant - holdout_days * SECONDS_A_DAY
    parts = {}
    for done, (name, factory) in enumerate(sorted(factories.items())):
        parts[name] = factory().fit(before, catalogue, seed=seed, at=cut)
        tell(0.6 * (done + 1) / len(factories))
    pools = {}
    for bucket, (low, high) in enumerate(zip(BUCKETS, (*BUCKETS[1:], None), strict=True), start=1):
        drawn = [_pool(parts, case, cut) for case in _cut_to(cases, low, high, rng)]
        pools[bucket] = [pool for pool in drawn if pool.new.any() and not pool.new.all()]
        tell(0.6 + 0.4 * bucket / len(BUCKETS))
    blend = Blend.default(_scales(list(parts), [pool for drawn in pools.values() for pool in drawn]))
    columns = [list(parts).index(str(name)) for name in blend.parts_]
    for bucket, drawn in pools.items():
        if len(drawn) >= ENOUGH:
            scores = [pool.scores[:, columns] * blend.scales_ for pool in drawn]
            blend.weights_[:, bucket] = listwise_weights(scores, [pool.new for pool in drawn])
    return blend


def listwise_weights(
    scores: Sequence[npt.NDArray[np.float64]], relevant: Sequence[npt.NDArray[np.bool_]]
) -> npt.NDArray[np.float64]:
    """Weights, zero or more and summing to 1, of the parts' scores that put relevant items first.

    Minimises the mean cross entropy between each list's relevant items and the softmax of its blended scores;
    a ridge makes parts that say the same share their weight.

    Args:
        scores: For each list, shape (n_items, n_parts).
        relevant: For each list, shape (n_items,); at least one item is.
    Source:
        Cao et al., "Learning to rank: from pairwise approach to listwise approach", ICML 2007 (ListNet, top one).
    """
    stacked = np.concatenate(scores)
    sizes = np.asarray([len(each) for each in relevant])
    starts = np.cumsum(sizes) - sizes
    shares = np.concatenate([each / each.sum() for each in relevant])

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = stacked @ weights
        logits -= np.repeat(np.maximum.reduceat(logits, starts), sizes)
        exponents = np.exp(logits)
        totals = np.add.reduceat(exponents, starts)
        value = float(np.log(totals).sum() - shares @ logits) / sizes.size
        gradient = stacked.T @ (exponents / np.repeat(totals, sizes) - shares) / sizes.size
        return value + RIDGE * float(weights @ weights), gradient + 2 * RIDGE * weights

    n_parts = stacked.shape[1]
    found = optimize.minimize(loss, np.ones(n_parts), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * n_parts)
    total = float(found.x.sum())
    return np.asarray(found.x / total) if total > 0 else np.full(n_parts, 1.0 / n_parts)


@dataclass(frozen=True)
class _Pool:
    """Candidates of one case: what every part says of them (0 for "no opinion"), and which were taken anew."""

    scores: npt.NDArray[np.float64]  # (n_items, n_parts)
    new: npt.NDArray[np.bool_]


def _cut_to(cases: Sequence[Case], low: int, high: int | None, rng: np.random.Generator) -> list[Case]:
    """The cases with ``low`` events or more, cut to fewer than ``high``."""
    enough = [case for case in cases if len(case.history) >= low]
    if high is None:
        return enough
    sizes = rng.integers(low, high, size=len(enough))
    return [case.newest(min(int(size), len(case.history))) for case, size in zip(enough, sizes, strict=True)]


def _pool(parts: Mapping[str, Recommender], case: Case, at: float) -> _Pool:
    rows = {name: part.score([case.history], at=at)[0] for name, part in parts.items()}
    chosen: set[Hashable] = set()
    for name, part in parts.items():
        chosen.update(part.item_ids[best_places(rows[name], PROPOSED)].tolist())
    items = sorted(chosen - set(case.history.items), key=str)
    scores = [
        np.nan_to_num(part.score([case.history], items=items, at=at)[0].astype(np.float64)) for part in parts.values()
    ]
    return _Pool(np.stack(scores, axis=1), np.asarray([item in case.new for item in items], dtype=bool))


def _scales(names: Collection[str], pools: Sequence[_Pool]) -> dict[str, float]:
    """One over each part's typical best score."""
    scales = {}
    for column, name in enumerate(names):
        tops = [float(np.abs(pool.scores[:, column]).max()) for pool in pools if len(pool.scores)]
        typical = float(np.median(tops)) if tops else 1.0
        scales[name] = 1.0 / typical if typical > 0 else 1.0
    return scales
