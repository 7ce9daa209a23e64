"""Whether a fitted model may serve: numbers, scores, lists, and that it is what its recipe makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.data.list_metrics import Lists
from reco_engine.ranking import Hybrid
from reco_engine.recommenders.base import Recommender

from .protocol import BATCH, ranked_lists
from .task import Task, task_from_arrays
from .verdict import OF_REPEATS

K = 20
LEAST_AGREEMENT = 0.2
"""Of lists of one recipe, fitted to a fifth less or five weeks earlier, the public sets and made-up shops have 63% in
common and more; popularity under another name has 6% of its lists in common with them, and other items' lists 2%.
Where the catalogue is small, what lists drawn at random have in common is added."""
LEAST_COVERAGE = 0.5
"""There, lists of one recipe show at least 93% as many items; popularity under another name 1%, or 30% where most
shoppers take the same."""
LEAST_LISTS = 50
"""Live histories below which two honest fits may have nothing in common."""
OF_THE_MOMENT = frozenset({"trending"})
"""Kinds that are about the last weeks only: no list of theirs need look like one from before."""


def check_artifact(
    model: Recommender,
    twin: Recommender | None,
    interactions: Interactions,
    *,
    at: float,
    seed: int = 0,
    n_histories: int = 200,
) -> tuple[str, ...]:
    """What speaks against serving ``model``, a sentence each; nothing when all is well.

    Every number that it learnt is finite. Scores of live histories are finite or NaN. It learnt from nothing past
    ``at``. Beside its twin it lists to as many shoppers and shows as much of the catalogue, within a factor, and its
    lists have something in common with the twin's.

    Args:
        twin: The same recipe fitted to less, as ``Comparison.twin``; for counts that are brought up to date, the live
            model. None: nothing to hold it against.
        interactions: What the model learnt from; live histories are drawn from it.
        at: t2, unix seconds, up to which the model may have learnt.
    """
    faults = [*_late(model, interactions, at), *_not_finite(model)]
    if faults or not len(interactions):
        return tuple(faults)
    task = _live(model, twin, interactions, at=at, n_histories=n_histories, seed=seed)
    if infinite := sum(_infinite(model, task, first) for first in range(0, len(task.histories), BATCH)):
        return (f"{infinite:,} scores of {len(task.histories):,} live histories are infinite.",)
    lists, _ = ranked_lists(model, task, K)
    if not np.any(lists >= 0) and not np.any(ranked_lists(model, replace(task, repeats=True), K)[0] >= 0):
        return (f"It lists nothing to any of {len(task.histories):,} live histories.",)
    return () if twin is None else tuple(_beside(lists, ranked_lists(twin, task, K)[0], task, model.name))


def _late(model: Recommender, interactions: Interactions, at: float) -> Iterator[str]:
    newest = interactions.newest
    if newest is not None and newest > at:
        n_late = int(np.count_nonzero(interactions.timestamps > at))
        yield f"It learnt from {n_late:,} interactions past its watermark, up to {newest - at:,.0f} seconds too late."
    if interactions.dated and (instant := vars(model).get("instant_")) is not None and instant > at:
        yield f"Its ages count from {instant - at:,.0f} seconds past its watermark."


def _not_finite(model: Any) -> Iterator[str]:
    if isinstance(model, Hybrid):
        for part in (*model.parts.values(), model.blend):
            yield from _not_finite(part)
        return
    for name, learnt in sorted(vars(model).items()):
        values = np.asarray(learnt) if name.endswith("_") and isinstance(learnt, np.ndarray | float) else np.empty(0)
        if values.dtype.kind == "f" and (n_bad := int(np.count_nonzero(~np.isfinite(values)))):
            yield f"{n_bad:,} of {values.size:,} numbers in {name} of {model.name} are not finite."


def _live(
    model: Recommender, twin: Recommender | None, interactions: Interactions, *, at: float, n_histories: int, seed: int
) -> Task:
    """Live histories, drawn at random, over all items that either model knows; what they are asked for is not used."""
    known = model.item_ids if twin is None else np.union1d(model.item_ids, twin.item_ids)
    users, items = interactions.user_ids[interactions.users], interactions.item_ids[interactions.items]
    task = task_from_arrays(
        interactions, users, items, seed=seed, catalogue=Catalogue(known), at=at, repeats=True, n_users=n_histories
    )
    return task if model.name in OF_REPEATS else replace(task, repeats=False)


def _infinite(model: Recommender, task: Task, first: int) -> int:
    scores = model.score(task.histories[first : first + BATCH], at=task.at)
    return int(np.count_nonzero(np.isinf(scores)))


def _beside(ours: Lists, theirs: Lists, task: Task, kind: str) -> Iterator[str]:
    if len(ours) < LEAST_LISTS:
        return
    listed, usual = (int(np.count_nonzero((lists >= 0).any(axis=1))) for lists in (ours, theirs))
    if listed < LEAST_COVERAGE * usual:
        yield f"It lists something to {listed:,} of {len(ours):,} live histories, its twin to {usual:,}."
    shown, typical = (np.unique(lists[lists >= 0]).size for lists in (ours, theirs))
    if shown < LEAST_COVERAGE * typical:
        yield f"Its lists for {len(ours):,} live histories show {shown:,} items, its twin's {typical:,}."
    chance = min(1.0, float(np.mean(np.sum(ours >= 0, axis=1))) / int(np.count_nonzero(task.offered)))
    least = chance + LEAST_AGREEMENT * (1.0 - chance)
    if kind not in OF_THE_MOMENT and (common := agreement(ours, theirs)) < least:
        yield f"Its lists have {common:.1%} of their items in common with its twin's; {least:.1%} is least."


def agreement(ours: Lists, theirs: Lists) -> float:
    """The mean share of a list's items that the other's list of the same history has, too; NaN without such pairs."""
    shares = [
        np.intersect1d(one[one >= 0], two[two >= 0]).size / min(np.count_nonzero(one >= 0), np.count_nonzero(two >= 0))
        for one, two in zip(ours, theirs, strict=True)
        if (one >= 0).any() and (two >= 0).any()
    ]
    return float(np.mean(shares)) if shares else float("nan")
