"""Learning the blend's weights from what users took after the parts were fitted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import SECONDS_A_DAY, Interactions
from reco_engine.data.splits import Case, inner_cases, later_cases
from reco_engine.recommenders.base import Recommender, best_places, heard, pick
from reco_engine.recommenders.tuning import helps
from reco_engine.seeds import generator
from reco_engine.types import Floats, Scores

from .blending import BUCKETS, CONCAVE, Blend, Share
from .silence import Silence

PROPOSED = 200
RIDGE = 0.01
ENOUGH = 20
"""Lists below which a bucket keeps the default weights."""
LENGTH = 10
BLOCK = 64
STEPS = (0.1, 0.25, 0.5)
MOST_STEPS = 6
HOLDOUT_DAYS = 35.0


def fit_blend(
    factories: Mapping[str, Callable[[], Recommender]],
    interactions: Interactions,
    catalogue: Catalogue | None,
    *,
    seed: int = 0,
    at: float | None = None,
    holdout_days: float | None = None,
    n_cases: int = 600,
    progress: Callable[[float], None] | None = None,
) -> Blend:
    """Fit the parts up to a cut, and the weights of each history size on what users took anew after it.

    Short histories are the newest events of longer ones. Weights that no case speaks against stay the default. Those
    of the shortest histories are half the default and half what starts from the best part alone: shoppers of long
    standing only stand in for newcomers, who must see that what they do counts.

    Args:
        holdout_days: What is after the cut; None: five weeks, at most a third of the time that the data spans.
            Undated data has items hidden instead.
    """
    rng = generator(seed, "blend cases")
    before, cases, cut = _cut(interactions, at, holdout_days, n_cases, rng)
    tell = progress or (lambda _: None)
    if not cases:
        return Blend.default(dict.fromkeys(factories, 1.0))
    parts = {}
    for done, (name, factory) in enumerate(sorted(factories.items())):
        hear = heard(tell, 0.6 * done / len(factories), 0.6 / len(factories))
        parts[name] = factory().fit(before, catalogue, seed=seed, at=cut, progress=hear)
        tell(0.6 * (done + 1) / len(factories))
    pools = {}
    for bucket, (low, high) in enumerate(zip(BUCKETS, (*BUCKETS[1:], None), strict=True), start=1):
        pools[bucket] = _pools(parts, _cut_to(cases, low, high, rng), cut)
        tell(0.6 + 0.4 * bucket / len(BUCKETS))
    telling = [pool for drawn in pools.values() for pool in drawn if pool.new.any() and not pool.new.all()]
    blend = Blend.default(_scales(list(parts), telling))
    columns = [list(parts).index(str(name)) for name in blend.parts_]
    links = [Share(1.0, float(scale), name in CONCAVE) for name, scale in zip(blend.parts_, blend.scales_, strict=True)]
    for bucket, every in pools.items():
        drawn = [pool for pool in every if pool.new.any() and not pool.new.all()]
        if len(drawn) >= ENOUGH:
            scores = [
                np.stack([link.points(pool.scores[:, column]) for link, column in zip(links, columns, strict=True)], 1)
                for pool in drawn
            ]
            usual = blend.weights_[:, bucket] / blend.weights_[:, bucket].sum()
            relevant = [pool.new for pool in drawn]
            if bucket > 1:
                blend.weights_[:, bucket] = best_weights(scores, relevant, usual)
            else:
                found = best_weights(scores, relevant, best_part(scores, relevant))
                blend.weights_[:, bucket] = (found + usual) / 2
    _learn_silence(blend, columns, [pool for drawn in pools.values() for pool in drawn])
    return blend


def _learn_silence(blend: Blend, columns: Sequence[int], pools: Sequence[_Pool]) -> None:
    """Keep with the blend how likely the items of its lists were to be taken; of too few lists nothing is learnt."""
    scores, taken = [], []
    names = [str(name) for name in blend.parts_]
    for pool in pools:
        shares = blend.shares(pool.size, names)
        points = [shares[name].points(pool.scores[:, columns[names.index(name)]]) for name in shares]
        total = np.sum(points, axis=0) if points else np.zeros(len(pool.scores))
        best = best_places(total, LENGTH)
        scores.append(total[best])
        taken.append(pool.new[best])
    Silence().fit_lists(scores, taken, [pool.size for pool in pools]).keep_with(blend)


def _cut(
    interactions: Interactions, at: float | None, days: float | None, n_cases: int, rng: np.random.Generator
) -> tuple[Interactions, list[Case], float | None]:
    """What the parts may learn from, the cases after it, and the instant between them."""
    if not interactions.dated or not len(interactions):
        return *inner_cases(interactions, at=at, n_cases=n_cases, rng=rng), None
    instant = interactions.instant(at)
    span = (instant - float(interactions.timestamps.min())) / SECONDS_A_DAY
    held = min(HOLDOUT_DAYS, span / 3) if days is None else days
    before, cases = later_cases(interactions, at=instant, holdout_days=held, n_cases=n_cases, rng=rng)
    return before, cases, instant - held * SECONDS_A_DAY


def best_weights(
    scores: Sequence[npt.NDArray[np.float64]],
    relevant: Sequence[npt.NDArray[np.bool_]],
    start: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Weights, zero or more and summing to 1, that rank what is relevant best.

    From ``start``, steps towards one part or towards the listwise weights, each taken only where it lifts the lists'
    NDCG by more than chance explains: from a mix of all parts, a small shop keeps that, and all kinds of reasons,
    until its cases speak against it.

    Args:
        scores: For each list, shape (n_items, n_parts).
        relevant: For each list, shape (n_items,); at least one item is.
        start: Weights that sum to 1, shape (n_parts,).
    """

    def figures(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return _ndcgs(scores, relevant, weights)

    towards = [*np.eye(scores[0].shape[1]), listwise_weights(scores, relevant)]
    best = start
    found = figures(best)
    for _ in range(MOST_STEPS):
        tried = [(1.0 - step) * best + step * other for other in towards for step in STEPS]
        reached = [figures(weights) for weights in tried]
        first = int(np.argmax([each.mean() for each in reached]))
        if not helps(reached[first] - found):
            break
        best, found = tried[first], reached[first]
    return best


def best_part(
    scores: Sequence[npt.NDArray[np.float64]], relevant: Sequence[npt.NDArray[np.bool_]]
) -> npt.NDArray[np.float64]:
    """All of the weight, for the part that ranks what is relevant best alone, shape (n_parts,)."""
    alone: list[npt.NDArray[np.float64]] = list(np.eye(scores[0].shape[1]))
    return max(alone, key=lambda weights: float(_ndcgs(scores, relevant, weights).mean()))


def _ndcgs(
    scores: Sequence[npt.NDArray[np.float64]],
    relevant: Sequence[npt.NDArray[np.bool_]],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """NDCG of each list in the order that these weights give, shape (n_lists,)."""
    discounts = 1.0 / np.log2(np.arange(2, LENGTH + 2))
    found = []
    for each, new in zip(scores, relevant, strict=True):
        hits = new[best_places(each @ weights, LENGTH)]
        found.append(discounts[: hits.size][hits].sum() / discounts[: int(new.sum())].sum())
    return np.asarray(found)


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
    from scipy import optimize  # here: a web process does without

    found = optimize.minimize(loss, np.ones(n_parts), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * n_parts)
    total = float(found.x.sum())
    return np.asarray(found.x / total) if total > 0 else np.full(n_parts, 1.0 / n_parts)


@dataclass(frozen=True)
class _Pool:
    """Candidates of one case: what every part says of them (0 for "no opinion"), and which were taken anew."""

    scores: npt.NDArray[np.float64]  # (n_items, n_parts)
    new: npt.NDArray[np.bool_]
    size: int  # events in the history


def _cut_to(cases: Sequence[Case], low: int, high: int | None, rng: np.random.Generator) -> list[Case]:
    """The cases with ``low`` events or more, cut to fewer than ``high``."""
    enough = [case for case in cases if len(case.history) >= low]
    if high is None:
        return enough
    sizes = rng.integers(low, high, size=len(enough))
    return [case.newest(min(int(size), len(case.history))) for case, size in zip(enough, sizes, strict=True)]


def _pools(parts: Mapping[str, Recommender], cases: Sequence[Case], at: float | None) -> list[_Pool]:
    """The candidates of each case."""
    pools = []
    for start in range(0, len(cases), BLOCK):
        block = cases[start : start + BLOCK]
        rows = {name: part.score([case.history for case in block], at=at) for name, part in parts.items()}
        pools += [_pool(parts, {name: some[i] for name, some in rows.items()}, case) for i, case in enumerate(block)]
    return pools


def _pool(parts: Mapping[str, Recommender], rows: Mapping[str, Scores], case: Case) -> _Pool:
    seen = set(case.history.items)
    chosen: set[Hashable] = set()
    for name, part in parts.items():
        chosen.update(part.item_ids[best_places(rows[name], PROPOSED)].tolist())
    items = sorted(chosen - seen, key=str)
    scores = [np.nan_to_num(pick(rows[name], part.item_ids, items).astype(np.float64)) for name, part in parts.items()]
    new = np.asarray([item in case.new for item in items], dtype=bool)
    return _Pool(np.stack(scores, axis=1), new, len(case.history))


def _scales(names: Collection[str], pools: Sequence[_Pool]) -> dict[str, float]:
    """One over each part's typical best score."""
    scales = {}
    for column, name in enumerate(names):
        tops = [float(np.abs(pool.scores[:, column]).max()) for pool in pools if len(pool.scores)]
        typical = float(np.median(tops)) if tops else 1.0
        scales[name] = 1.0 / typical if typical > 0 else 1.0
    return scales
