"""Two recipes learn from what came before an instant, and are measured on what shoppers took after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import SECONDS_A_DAY, Interactions
from reco_engine.data.intervals import Interval, bootstrap_intervals
from reco_engine.data.list_metrics import Figures
from reco_engine.data.slate_metrics import catalogue_coverage, exposures, gini
from reco_engine.errors import BadInputError, NobodyToMeasureError
from reco_engine.ranking.fitting import HOLDOUT_DAYS
from reco_engine.recommenders.base import Recommender, heard

from .protocol import Places, ranked_lists
from .recipes import Factory, Recipe
from .sections import Exam, Question
from .task import Task

CANDIDATE, LIVE, POPULARITY, CHANCE = "candidate", "live", "popularity", "chance"
LENGTH = 20
FIT = 0.6
"""Of a contestant's progress; the rest is its lists."""
Tell = Callable[[float], None]
Table = Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, eq=False)
class Section:
    """What was asked of some shoppers, and how each contestant answered.

    Attributes:
        figures: By contestant and measure, shape (n_shoppers,); NaN where a measure says nothing of a list. Of
            ``chance``, the candidate's lists with other items in them, the luckiest of many draws, the NDCG;
            only where there is no live recipe.
        measured: Their means, with bootstrap intervals over shoppers.
        over: What the candidate has more, by the other contestant and measure: the mean of the paired differences,
            with its interval.
        lists: By contestant: ``coverage``, the share of the items on offer that some list shows, ``gini``, how
            unequally they do, and ``listed``, the share of shoppers who get a list at all.
    """

    n_shoppers: int
    figures: Mapping[str, Mapping[str, Figures]]
    measured: Table
    over: Table
    lists: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(
        cls,
        figures: Mapping[str, Mapping[str, Figures]],
        lists: Mapping[str, Mapping[str, float]],
        *,
        seed: int = 0,
    ) -> Section:
        """Work out means and differences; contestants are compared in the measures that they have."""
        ours = figures[CANDIDATE]
        gains = {
            who: {name: ours[name] - values for name, values in theirs.items()}
            for who, theirs in figures.items()
            if who != CANDIDATE
        }
        return cls(
            n_shoppers=int(next(iter(ours.values())).size),
            figures=figures,
            measured={who: _intervals(each, seed) for who, each in figures.items()},
            over={who: _intervals(each, seed) for who, each in gains.items()},
            lists=lists,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values only, None for what is unknown; without the figures of single shoppers."""
        return {
            "n_shoppers": self.n_shoppers,
            "measured": _table(self.measured),
            "over": _table(self.over),
            "lists": {who: {name: _number(value) for name, value in told.items()} for who, told in self.lists.items()},
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """A candidate's recipe beside the live one's and popularity.

    Attributes:
        kind: The candidate's name on the shelf.
        t1: Unix seconds, the end of what was learnt from.
        t2: Unix seconds, the end of what was asked for.
        has_live: Whether there was a live recipe to compare with.
        sections: ``discovery``, ``next_basket``, ``new_shoppers`` and ``new_products``, those that say anything;
            none where no shopper is on both sides of t1.
        twin: The candidate's recipe as it was fitted to t1, for ``check_artifact``; None without sections.
    """

    kind: str
    t1: float
    t2: float
    k: int
    seed: int
    has_live: bool
    sections: Mapping[str, Section]
    twin: Recommender | None = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values only, None for what is unknown; without the figures of single shoppers and the twin."""
        return {
            "kind": self.kind, "t1": self.t1, "t2": self.t2, "k": self.k, "seed": self.seed,
            "has_live": self.has_live,
            "sections": {name: section.to_json() for name, section in self.sections.items()},
        }  # fmt: skip


def compare(
    candidate: Factory,
    live: Factory | None,
    interactions: Interactions,
    catalogue: Catalogue | None,
    *,
    at: float,
    holdout_days: float | None = None,
    seed: int = 0,
    n_users: int = 2000,
    k: int = LENGTH,
    progress: Tell | None = None,
) -> Comparison:
    """Fit both recipes and popularity to t1, and measure their ``k`` best of the full catalogue on (t1, t2].

    ``discovery`` asks for what was new to returning shoppers, ``next_basket`` for all that they took,
    ``new_shoppers`` asks those with less than ten events, or unknown at t1, for what was new to them, and
    ``new_products`` looks in the lists of discovery for items that nobody had taken before t1. The catalogue is that
    of ``at``: who knows items by what they are may list those, who counts takers cannot.

    Args:
        live: The live version's recipe; None where there is none.
        at: t2, unix seconds; later interactions are left out.
        holdout_days: From t1 to t2; None: five weeks, at most a third of the time that the data spans.
        n_users: The most shoppers that are asked in a section, drawn at random. Time grows with it, and certainty.
        progress: Hears the share done, 0 to 1; raising from it ends the comparison.
    Raises:
        BadInputError: If nothing is dated, nothing lies before t1, or a recipe cannot learn from what does.
    """
    tell = progress or (lambda _: None)
    t1 = at - SECONDS_A_DAY * _holdout(interactions, at, holdout_days)
    try:
        exam = Exam.of(interactions, catalogue, t1=t1, t2=at, n_users=n_users, seed=seed)
    except NobodyToMeasureError:
        return Comparison(candidate().name, t1, at, k, seed, live is not None, {}, None)
    contestants: dict[str, Factory] = {POPULARITY: Recipe("popularity"), CANDIDATE: candidate}
    if live is not None:
        contestants[LIVE] = live
    answers: dict[str, dict[str, Places]] = {}
    twin: Recommender | None = None
    for done, (who, factory) in enumerate(contestants.items()):
        hear = heard(tell, done / len(contestants), 1.0 / len(contestants))
        model = factory().fit(exam.before, catalogue, seed=seed, at=t1, progress=heard(hear, 0.0, FIT))
        answers[who] = _answers(model, exam, k, heard(hear, FIT, 1.0 - FIT))
        twin = model if who == CANDIDATE else twin
    sections = {
        name: _section(question, {who: lists[name] for who, lists in answers.items()}, k, seed)
        for name, question in exam.questions.items()
    }
    tell(1.0)
    return Comparison(candidate().name, t1, at, k, seed, live is not None, sections, twin)


def _holdout(interactions: Interactions, at: float, days: float | None) -> float:
    if days is not None:
        if not (math.isfinite(days) and days > 0):
            raise BadInputError(f"holdout_days must be above zero, not {days}")
        return days
    span = (at - float(interactions.timestamps.min())) / SECONDS_A_DAY if len(interactions) else 0.0
    return min(HOLDOUT_DAYS, span / 3)


def _answers(model: Recommender, exam: Exam, k: int, tell: Tell) -> dict[str, Places]:
    """The lists by section; sections that ask the same task share them."""
    tasks: dict[int, Task] = {id(question.task): question.task for question in exam.questions.values()}
    made: dict[int, Places] = {}
    for done, (key, task) in enumerate(tasks.items()):
        made[key], _ = ranked_lists(model, task, k, tell=heard(tell, done / len(tasks), 1.0 / len(tasks)))
    return {name: made[id(question.task)] for name, question in exam.questions.items()}


def _section(question: Question, lists: Mapping[str, Places], k: int, seed: int) -> Section:
    figures = {who: question.figures(each, k) for who, each in lists.items()}
    if question.whole and LIVE not in lists:
        figures[CHANCE] = {"ndcg": question.luckiest(lists[CANDIDATE], k, seed=seed)}
    of_all = {who: _of_all(each, question) for who, each in lists.items()} if question.whole else {}
    return Section.of(figures, of_all, seed=seed)


def _of_all(lists: Places, question: Question) -> dict[str, float]:
    shown = exposures(lists, question.task.item_ids.size)[question.task.offered]
    listed = float(np.mean((lists >= 0).any(axis=1)))
    return {"coverage": catalogue_coverage(shown), "gini": gini(shown), "listed": listed}


def _intervals(figures: Mapping[str, Figures], seed: int) -> dict[str, Interval]:
    columns = np.stack(list(figures.values()), axis=1)
    return dict(zip(figures, bootstrap_intervals(columns, seed=seed), strict=True))


def _table(table: Table) -> dict[str, Any]:
    return {
        who: {
            name: {"mean": _number(each.mean), "low": _number(each.low), "high": _number(each.high)}
            for name, each in intervals.items()
        }
        for who, intervals in table.items()
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
