"""Choosing settings that were left open, on a split of the training data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.data.metrics import ndcg_at
from reco_engine.data.splits import Case, inner_cases
from reco_engine.seeds import generator
from reco_engine.types import Ids, Items, Scores

from .base import Progress, best_places, places_of

Settings = dict[str, Any]
Figures = npt.NDArray[np.float64]
N_CASES = 4000
FEW_CASES = 50
"""Cases below which the usual settings are as good a guess as any."""
EVIDENCE = 2.0
"""Standard errors by which a step must help, so that chance moves nothing away from what is usual."""
BLOCK = 128


class Scorer(Protocol):
    """As much of a recommender as a measure needs."""

    @property
    def item_ids(self) -> Ids: ...

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores: ...


@dataclass(frozen=True)
class Search:
    """Where a recommender's settings start and what else they may be, in the order in which they are tried.

    Attributes:
        start: The usual value of each.
        grid: Other values of those that may be left open.
        dated: Those that mean nothing where no interaction has a date.
        most_pairs: Of more pairs of one user's interactions, those of some users, drawn at random, are read.
    """

    start: Mapping[str, Any]
    grid: Mapping[str, Sequence[Any]]
    dated: Collection[str] = ()
    most_pairs: int = 3_000_000_000

    def settings_for(
        self,
        model: Any,
        interactions: Interactions,
        catalogue: Catalogue | None,
        *,
        seed: int,
        at: float | None,
        progress: Progress | None = None,
    ) -> Settings:
        """The settings given, and for each left ``None`` what found most on an inner split.

        ``progress`` hears 0 before each trial: the fit is alive, and whoever listens may end it.
        """
        given = {name: value for name in self.start if (value := getattr(model, name)) is not None}
        usual = {**self.start, **given}
        grid = {
            name: choices
            for name, choices in self.grid.items()
            if name not in given and (interactions.dated or name not in self.dated)
        }
        if not grid:
            return usual
        rng = generator(seed, f"{model.name} cases")
        some = interactions.sample(self.most_pairs, rng)
        before, cases = inner_cases(some, at=at, n_cases=N_CASES, rng=rng)
        if len(cases) < FEW_CASES:
            return usual

        def measure(settings: Settings) -> Figures:
            if progress is not None:
                progress(0.0)
            fitted = replace(model, **settings).fit(before, catalogue, seed=seed, at=before.newest)
            return discovery(fitted, cases, at=before.newest)

        return searched(measure, usual, grid)


def searched(
    measure: Callable[[Settings], Figures], start: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]
) -> Settings:
    """The best settings found by going along one at a time, from ``start``, until no step helps.

    A step helps when the cases' figures rise by more than chance explains. Each point is measured once; the work
    is bounded by two rounds over ``grid``.

    Args:
        measure: One figure a case, higher is better, shape (n_cases,).
    """
    known: dict[tuple[Any, ...], Figures] = {}

    def figures(settings: Settings) -> Figures:
        key = tuple(settings.values())
        if key not in known:
            known[key] = measure(settings)
        return known[key]

    best = dict(start)
    for _ in range(2):
        before = dict(best)
        for name, choices in grid.items():
            other = max(({**best, name: choice} for choice in choices), key=lambda each: float(figures(each).mean()))
            if helps(figures(other) - figures(best)):
                best = other
        if best == before:
            break
    return best


def helps(gains: Figures) -> bool:
    """Whether paired gains, shape (n_cases,), are more than chance explains."""
    error = float(gains.std()) / np.sqrt(gains.size)
    return bool(gains.mean() > EVIDENCE * error)


def discovery(model: Scorer, cases: Sequence[Case], *, at: float | None, k: int = 20) -> Figures:
    """NDCG@k of what was new to each case, everything the model knows ranked, shape (n_cases,)."""
    found = []
    for start in range(0, len(cases), BLOCK):
        block = cases[start : start + BLOCK]
        for row, case in zip(model.score([case.history for case in block], at=at), block, strict=True):
            row[places_of(case.history, model.item_ids)] = np.nan
            found.append(ndcg_at(model.item_ids[best_places(row, k)].tolist(), case.new, k))
    return np.asarray(found)
