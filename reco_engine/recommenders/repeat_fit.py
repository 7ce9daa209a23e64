"""Learning the chance of a repeat from habits up to a cut, and what was taken again after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import SECONDS_A_DAY, Interactions
from reco_engine.types import Floats

from .habits import FAINT, Days, days_of, faded_counts, habits_of
from .quadratic import fit_logistic, products_of, standardised
from .repeat_items import N_ITEM_FEATURES, repeat_items

N_SHOPPERS = 4000
MOST_HABITS = 80
"""Strongest habits of each shopper that are learnt from: those that can come into a list."""
LISTED = 90.0
"""Half-life, in days, by which a habit's strength is told before anything is learnt."""
WIDE = 2.0
"""Deviations of features before any data: counts of up to two thousand days are told apart."""
PRIOR = 100.0
"""Precision of the belief: on fewer habits than this the learnt chance stays near it."""


@dataclass(frozen=True)
class Chance:
    """Weights of a logistic regression on products of standardised features: habits first, then the item's."""

    means: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


def belief(half_lives: Floats) -> Chance:
    """The chance before any data: the odds follow the faded count, and one day in five of it makes even ones.

    Args:
        half_lives: In days; the one nearest to a season counts, shape (n_habits - 1,).
    """
    n_features = len(half_lives) + 1 + N_ITEM_FEATURES
    means, deviations = np.zeros(n_features), np.full(n_features, WIDE)
    return Chance(means, deviations, _believed(half_lives, means, deviations))


def learnt(interactions: Interactions, half_lives: Floats, *, horizon: float, rng: np.random.Generator) -> Chance:
    """The chance that a habit known at a cut is followed within ``horizon`` days.

    Learns from shoppers who came back after the cut, ``N_SHOPPERS`` of them at most, drawn at random.
    """
    newest, oldest = interactions.timestamps.max(), interactions.timestamps.min()
    cut = newest - min(horizon * SECONDS_A_DAY, (newest - oldest) / 3.0)
    before = (interactions.timestamps <= cut) & (interactions.weights > 0)
    after = (interactions.timestamps > cut) & (interactions.weights > 0)
    keys = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
    pairs, inverse = np.unique(keys[before], return_inverse=True)
    ages = (cut - interactions.timestamps[before]) / SECONDS_A_DAY
    days = days_of(inverse, ages, interactions.weights[before], n_pairs=pairs.size)
    users, items = np.divmod(pairs, interactions.n_items)
    returned = np.unique(interactions.users[after])
    chosen = np.isin(users, rng.permutation(returned)[:N_SHOPPERS])
    chosen &= _strongest(users, faded_counts(days, LISTED))
    if not chosen.any():
        return belief(half_lives)
    taken, worth = _heaviest(keys[after], interactions.weights[after])
    found = np.minimum(np.searchsorted(taken, pairs[chosen]), taken.size - 1)
    outcomes = np.where(taken[found] == pairs[chosen], np.minimum(worth[found], 1.0), 0.0)
    features = np.hstack([
        habits_of(_only(days, chosen), half_lives),
        repeat_items(days, items, interactions.n_items)[items[chosen]],
    ])  # fmt: skip
    means, deviations = features.mean(axis=0), features.std(axis=0)
    deviations = np.where(deviations > 1e-9, deviations, 1.0)
    columns = products_of(standardised(features, means, deviations))
    weights = fit_logistic(columns, outcomes, _believed(half_lives, means, deviations), PRIOR)
    return Chance(means, deviations, weights)


def _believed(
    half_lives: Floats, means: npt.NDArray[np.float64], deviations: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weights under which the odds are the faded count over five, for features standardised so."""
    n_features = means.size
    weights = np.zeros(1 + n_features + n_features * (n_features + 1) // 2)
    column = int(np.argmin(np.abs(np.log(np.asarray(half_lives) / LISTED))))
    weights[0] = means[column] - np.log(5.0 + FAINT)
    weights[1 + column] = deviations[column]
    return weights


def _strongest(users: npt.NDArray[np.int64], strengths: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which pairs are among the ``MOST_HABITS`` strongest of their user; ``users`` is sorted."""
    order = np.lexsort((-strengths, users))
    rank = np.arange(users.size) - np.searchsorted(users, users)
    strong = np.zeros(users.size, dtype=bool)
    strong[order] = rank < MOST_HABITS
    return strong


def _heaviest(
    keys: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The distinct keys, sorted, and the heaviest weight of each."""
    order = np.argsort(keys, kind="stable")
    unique, starts = np.unique(keys[order], return_index=True)
    return unique, np.maximum.reduceat(weights[order], starts)


def _only(days: Days, chosen: npt.NDArray[np.bool_]) -> Days:
    """The days of the ``chosen`` pairs, which are numbered anew."""
    numbers = np.cumsum(chosen) - 1
    keep = chosen[days.pairs]
    return Days(numbers[days.pairs[keep]], days.ages[keep], days.weights[keep], int(chosen.sum()))
