"""Fit, recommend, measure: one recommender on one task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History, codes_of
from reco_engine.data.intervals import Interval, bootstrap_intervals
from reco_engine.data.list_metrics import Figures, accuracy, cells_of
from reco_engine.data.slate_metrics import (
    catalogue_coverage,
    diversity,
    exposures,
    gini,
    miscalibration,
    novelty,
    popularity_bias,
)
from reco_engine.errors import BadInputError
from reco_engine.ranking import Hybrid, recommend
from reco_engine.recommenders.base import Recommender
from reco_engine.types import Ranking

from .memory import with_peak_memory
from .task import Task

BATCH = 256
"""Histories that are scored at once."""

N_TIMED = 200
"""Shoppers that are served one at a time, for the latency."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Measured:
    """How well one recommender did, and what it took.

    Attributes:
        figures: Per shopper and measure, shape (n_users,); NaN where a measure says nothing of a list.
        intervals: Their means, with bootstrap intervals over shoppers.
        coverage: Share of the items on offer that some list shows.
        gini: How unequally the lists show them, 0 to 1.
        fit_s: Seconds to fit.
        fit_peak_mb: Memory that the fit needed at its peak, beside the data; None where the system does not tell.
        single_ms: Milliseconds for one shopper's list, served alone: median and 95th percentile.
        batch_ms: Milliseconds a shopper, served in batches.
        found: The numbers that the fit chose itself.
    """

    name: str
    figures: Mapping[str, Figures]
    intervals: Mapping[str, Interval]
    coverage: float
    gini: float
    fit_s: float
    fit_peak_mb: float | None
    single_ms: tuple[float, float]
    batch_ms: float
    found: Mapping[str, float]


def evaluate(model: Recommender, task: Task, *, k: int = 20, seed: int = 0) -> Measured:
    """Fit ``model`` on what the task lets it learn from, and measure its ``k`` best items for each shopper.

    The whole catalogue is ranked. What a shopper had taken is left out, unless the task is about repeats.

    Raises:
        BadInputError: If the model cannot learn from this data, or has no opinion of any item that is asked for.
    """
    start = time.perf_counter()
    fitted, peak = with_peak_memory(lambda: model.fit(task.train, task.catalogue, seed=seed, at=task.at))
    fit_s = time.perf_counter() - start
    single = _single_ms(fitted, task, k)
    ranked, seconds = ranked_lists(fitted, task, k)
    if not np.any(ranked >= 0):
        raise BadInputError(
            "no opinion of any item that shoppers had not taken; measure it on repeats"
            if not task.repeats
            else "no opinion of any item"
        )
    figures = figures_of(ranked, task, k)
    intervals = bootstrap_intervals(np.stack(list(figures.values()), axis=1), seed=seed)
    shown = exposures(ranked, task.item_ids.size)[task.offered]
    return Measured(
        name=model.name,
        figures=figures,
        intervals=dict(zip(figures, intervals, strict=True)),
        coverage=catalogue_coverage(shown),
        gini=gini(shown),
        fit_s=fit_s,
        fit_peak_mb=peak,
        single_ms=single,
        batch_ms=1000 * seconds / len(task.histories),
        found=_found(fitted),
    )


def ranked_lists(
    model: Recommender, task: Task, k: int, *, tell: Callable[[float], None] = lambda _: None
) -> tuple[Places, float]:
    """Places in ``task.item_ids`` of each shopper's list, -1 where it has ended, and the seconds this took.

    Args:
        tell: Hears after each batch what share of the shoppers is done; raising from it ends the work.
    """
    lists = np.full((len(task.histories), k), -1, dtype=np.int64)
    seconds = 0.0
    for first in range(0, len(task.histories), BATCH):
        rows = slice(first, first + BATCH)
        histories = [_fresh(history) for history in task.histories[rows]]
        beyond = 0 if task.repeats else _beyond_history(task, rows)
        start = time.perf_counter()
        rankings = _rankings(model, histories, k + beyond, task)
        seconds += time.perf_counter() - start
        places = _places(rankings, task, k + beyond)
        lists[rows] = _first_unseen(places, task, rows, k) if beyond else places
        tell(min(1.0, (first + BATCH) / len(task.histories)))
    return lists, seconds


def _rankings(model: Recommender, histories: Sequence[History], n: int, task: Task) -> list[Ranking]:
    """The lists as they would be served; a hybrid ranks in its two stages."""
    if isinstance(model, Hybrid):
        return [model.rank(each, n, exclude=() if task.repeats else set(each.items), at=task.at) for each in histories]
    return recommend(model, histories, n, exclude_seen=not task.repeats, at=task.at)


def _places(rankings: Sequence[Ranking], task: Task, length: int) -> Places:
    sizes = np.asarray([len(ranking.item_ids) for ranking in rankings])
    flat = [item for ranking in rankings for item in ranking.item_ids]
    places = np.full((len(rankings), length), -1, dtype=np.int64)
    places[np.arange(length) < sizes[:, None]] = codes_of(task.item_ids, flat)
    return places


def _beyond_history(task: Task, rows: slice) -> int:
    """The most items that a shopper of these had taken before their history begins."""
    had = np.diff(task.seen[rows].indptr)
    return max(int(count) - len(set(history.items)) for count, history in zip(had, task.histories[rows], strict=True))


def _first_unseen(places: Places, task: Task, rows: slice, k: int) -> Places:
    """The first ``k`` of each list that the shopper had never taken."""
    gone = (places < 0) | (cells_of(task.seen[rows], places) != 0)
    order = np.argsort(gone, axis=1, kind="stable")[:, :k]
    return np.where(np.take_along_axis(gone, order, axis=1), -1, np.take_along_axis(places, order, axis=1))


def _single_ms(model: Recommender, task: Task, k: int) -> tuple[float, float]:
    chosen = np.linspace(0, len(task.histories) - 1, min(N_TIMED, len(task.histories))).astype(np.int64)
    _rankings(model, [_fresh(task.histories[chosen[0]])], k, task)  # what is made once, at the first list
    times = []
    for row in chosen:
        history = _fresh(task.histories[row])
        start = time.perf_counter()
        _rankings(model, [history], k, task)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.percentile(times, 50)), float(np.percentile(times, 95))


def _fresh(history: History) -> History:
    """The same history without what recommenders have worked out of it, as a request brings it."""
    return History(history.items, history.timestamps, history.weights)


def figures_of(ranked: Places, task: Task, k: int) -> dict[str, Figures]:
    """What each list is worth and what it is like, by measure, shape (n_users,); NaN where one says nothing of it."""
    figures = accuracy(ranked, task.relevant, k=k)
    figures["novelty"] = novelty(ranked, task.takers, task.train.n_users)
    figures["diversity"] = diversity(ranked, task.features)
    figures["popularity_bias"] = popularity_bias(ranked, task.seen, task.takers)
    if task.categories is not None:
        figures["miscalibration"] = miscalibration(ranked, task.seen, task.categories)
    return figures


def _found(model: Any) -> dict[str, float]:
    """Learned numbers: settings that were left open, and what a fit says of itself."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in sorted(vars(model).items())
        if name.endswith("_") and isinstance(value, int | float | np.number)
    }
