"""Splitting what happened into what a model may learn from and what it is asked for."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from .interactions import SECONDS_A_DAY, History, Interactions

MOST_EVENTS = 1000
"""Newest events of a case's history, as a live one has."""


DRIFT = 1.0
"""Log odds by which an item's popularity strays between what undated data teaches and what it is asked for."""


@dataclass(frozen=True)
class Case:
    """A history, and what was new to it and taken after."""

    history: History
    new: frozenset[Hashable]

    def newest(self, n: int) -> Case:
        """The case of somebody who began ``n`` events ago; what came before is neither known nor new."""
        times, weights = self.history.timestamps, self.history.weights
        short = History(
            self.history.items[-n:],
            None if times is None else times[-n:],
            None if weights is None else weights[-n:],
        )
        return Case(short, self.new)


def later_cases(
    interactions: Interactions, *, at: float, holdout_days: float, n_cases: int, rng: np.random.Generator
) -> tuple[Interactions, list[Case]]:
    """Cut ``holdout_days`` off the end: what was before, and cases of users with history on both sides."""
    later = interactions.timestamps >= at - holdout_days * SECONDS_A_DAY
    return _cases(interactions, later, n_cases=n_cases, rng=rng)


def hidden_cases(
    interactions: Interactions, *, share: float, n_cases: int, rng: np.random.Generator, drift: float = 0.0
) -> tuple[Interactions, list[Case]]:
    """Hide a random ``share`` of each user's items: for data without dates.

    Args:
        drift: How unevenly items are hidden: the standard deviation of an item's log odds. What is popular
            changes before a model serves; hiding each item alike would say that it never does, and reward
            leaning on popularity.
    """
    pairs = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
    unique, inverse = np.unique(pairs, return_inverse=True)
    odds = share / (1.0 - share) * np.exp(drift * rng.standard_normal(interactions.n_items))
    items = unique % max(interactions.n_items, 1)
    chances = (odds / (1.0 + odds))[items]
    hidden = rng.random(unique.size) < chances * (share / (chances.mean() if chances.size else 1.0))
    return _cases(interactions, hidden[inverse], n_cases=n_cases, rng=rng)


def inner_cases(
    interactions: Interactions, *, at: float | None, n_cases: int, rng: np.random.Generator, share: float = 0.2
) -> tuple[Interactions, list[Case]]:
    """Split for choosing settings: by time where there are dates (the last ``share`` of the events), else at random."""
    newest = interactions.instant(at)
    cut = float(np.quantile(interactions.timestamps, 1 - share)) if len(interactions) else newest
    if interactions.dated and cut < newest:
        days = (newest - cut) / SECONDS_A_DAY
        return later_cases(interactions, at=newest, holdout_days=days, n_cases=n_cases, rng=rng)
    return hidden_cases(interactions, share=share, n_cases=n_cases, rng=rng, drift=DRIFT)


def _cases(
    interactions: Interactions, later: np.ndarray, *, n_cases: int, rng: np.random.Generator
) -> tuple[Interactions, list[Case]]:
    before, after = interactions.where(~later), interactions.where(later)
    shared = np.intersect1d(before.user_ids, after.user_ids)
    chosen = np.sort(rng.permutation(shared)[:n_cases])
    earlier_rows, later_rows = _rows_by_user(before, chosen), _rows_by_user(after, chosen)
    cases = []
    for mine, theirs in zip(earlier_rows, later_rows, strict=True):
        seen = before.item_ids[before.items[mine]].tolist()
        new = frozenset(after.item_ids[after.items[theirs]].tolist()) - set(seen)
        if new:
            newest = mine[-MOST_EVENTS:]
            times = before.timestamps[newest].tolist() if before.dated else None
            cases.append(Case(History(seen[-MOST_EVENTS:], times, before.weights[newest].tolist()), new))
    return before, cases


def _rows_by_user(interactions: Interactions, user_ids: np.ndarray) -> list[np.ndarray]:
    """The places of each user's interactions, oldest first."""
    order = np.argsort(interactions.users, kind="stable")
    users = np.searchsorted(interactions.user_ids, user_ids)
    starts = np.searchsorted(interactions.users[order], users)
    stops = np.searchsorted(interactions.users[order], users, side="right")
    return [order[start:stop] for start, stop in zip(starts, stops, strict=True)]
