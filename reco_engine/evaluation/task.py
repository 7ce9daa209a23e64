"""What recommenders may learn from, and what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.data.splits import MOST_EVENTS
from reco_engine.errors import BadInputError, NobodyToMeasureError
from reco_engine.seeds import generator
from reco_engine.types import Ids

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Task:
    """Shoppers with something to learn from and something taken later, over all items that are known of.

    Attributes:
        train: What may be learnt from.
        user_ids: The shoppers that are measured, sorted, shape (n_users,).
        histories: Their live histories: their newest events, as serving has them.
        item_ids: Items of training, catalogue and test, sorted, shape (n_items,).
        seen: What each shopper had taken, 1 where they had, shape (n_users, n_items).
        relevant: What each is asked for, 1 where it is, shape (n_users, n_items).
        at: The instant between the two, unix seconds; None where nothing is dated.
        repeats: Whether what was taken before may be recommended, and is asked for, again.
    """

    train: Interactions
    catalogue: Catalogue | None
    user_ids: Ids
    histories: Sequence[History]
    item_ids: Ids
    seen: sparse.csr_matrix
    relevant: sparse.csr_matrix
    at: float | None
    repeats: bool

    @cached_property
    def takers(self) -> npt.NDArray[np.float64]:
        """How many training users took each item, shape (n_items,)."""
        return self.train.takers_over(self.item_ids, np.ones(len(self.train)))

    @cached_property
    def offered(self) -> Mask:
        """Which items a recommender can know: those of training and catalogue, shape (n_items,)."""
        known = codes_of(self.train.item_ids, self.item_ids) >= 0
        return known if self.catalogue is None else known | (codes_of(self.catalogue.item_ids, self.item_ids) >= 0)

    @cached_property
    def features(self) -> sparse.csr_matrix:
        """What makes items alike: the catalogue's features, else who took them, shape (n_items, n_features)."""
        if self.catalogue is None:
            return sparse.csr_matrix(self.train.matrix_over(self.item_ids, np.ones(len(self.train))).T)
        return self._spread(self.catalogue, feature_matrix(self.catalogue)[0])

    @cached_property
    def categories(self) -> sparse.csr_matrix | None:
        """Each item's top category, shape (n_items, n_categories); None where no item has one."""
        if self.catalogue is None or not any(self.catalogue.category or ()):
            return None
        paths = self.catalogue.category or ()
        rows = [row for row, path in enumerate(paths) if path]
        names = np.unique([paths[row][0] for row in rows], return_inverse=True)[1]
        shape = (len(paths), int(names.max()) + 1)
        return self._spread(self.catalogue, sparse.csr_matrix((np.ones(len(rows)), (rows, names)), shape=shape))

    def asking(self, **other: Any) -> Task:
        """The same shop, other shoppers or another question; what was worked out of the shop is kept."""
        task = replace(self, **other)
        vars(task).update({name: getattr(self, name) for name in ("takers", "offered", "features", "categories")})
        return task

    def _spread(self, catalogue: Catalogue, rows: sparse.csr_matrix) -> sparse.csr_matrix:
        """Rows of the catalogue brought to the places of ``item_ids``; the others are empty."""
        places = np.searchsorted(self.item_ids, catalogue.item_ids)
        spread = sparse.csr_matrix(
            (np.ones(places.size), (places, np.arange(places.size))), shape=(self.item_ids.size, places.size)
        )
        return sparse.csr_matrix(spread @ rows)


def task_of(
    interactions: Interactions, *, share: float = 0.1, seed: int = 0, catalogue: Catalogue | None = None,
    repeats: bool = False, n_users: int | None = None,
) -> Task:  # fmt: skip
    """By time where there are dates, else by hiding a random share of each shopper's items."""
    if interactions.dated:
        return task_by_time(interactions, share=share, seed=seed, catalogue=catalogue, repeats=repeats, n_users=n_users)
    return task_hidden(interactions, share=share, seed=seed, catalogue=catalogue, n_users=n_users)


def task_by_time(
    interactions: Interactions, *, share: float = 0.1, seed: int = 0, catalogue: Catalogue | None = None,
    repeats: bool = False, n_users: int | None = None,
) -> Task:  # fmt: skip
    """Learn from what came first; what is asked for is what shoppers took in the last ``share`` of interactions.

    Raises:
        BadInputError: If nothing is dated, all is of one moment, or no shopper is on both sides.
    """
    _need_share(share)
    if not interactions.dated or not len(interactions):
        raise BadInputError("timestamps are missing; a split by time needs them")
    cut = float(np.quantile(interactions.timestamps, 1 - share))
    later = interactions.timestamps >= cut
    if later.all():
        raise BadInputError(f"timestamps do not leave anything before the last {share:g} of the interactions")
    return task_from_arrays(
        interactions.where(~later), *_pairs(interactions, later),
        seed=seed, catalogue=catalogue, at=cut, repeats=repeats, n_users=n_users,
    )  # fmt: skip


def task_hidden(
    interactions: Interactions, *, share: float = 0.1, seed: int = 0, catalogue: Catalogue | None = None,
    n_users: int | None = None,
) -> Task:  # fmt: skip
    """Hide each pair of shopper and item, with all its repeats, with a probability of ``share``; ask for those.

    Raises:
        BadInputError: If no shopper has something hidden and something left.
    """
    _need_share(share)
    pairs = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
    unique, inverse = np.unique(pairs, return_inverse=True)
    hidden = (generator(seed, "hidden pairs").random(unique.size) < share)[inverse]
    return task_from_arrays(
        interactions.where(~hidden), *_pairs(interactions, hidden), seed=seed, catalogue=catalogue, n_users=n_users
    )


def task_from_arrays(
    train: Interactions, test_users: Any, test_items: Any, *, seed: int = 0, catalogue: Catalogue | None = None,
    at: float | None = None, repeats: bool = False, n_users: int | None = None,
) -> Task:  # fmt: skip
    """From a split made elsewhere: the shoppers with training interactions are asked for their test items.

    Args:
        test_users: Ids of the kind that ``train`` has, shape (n_test,).
        test_items: Likewise.
        n_users: How many shoppers to measure, drawn at random; all when missing.
    Raises:
        NobodyToMeasureError: If no test user is left to measure.
    """
    tested, items = np.asarray(test_users), np.asarray(test_items)
    if tested.shape != items.shape or tested.ndim != 1:
        raise BadInputError(f"test_items must have one value per test user: {tested.shape}, not {items.shape}")
    item_ids = _union(train.item_ids, items, None if catalogue is None else catalogue.item_ids)
    columns = np.searchsorted(item_ids, items)
    everyone = _taken(train.users, np.searchsorted(item_ids, train.item_ids)[train.items], train.n_users, item_ids.size)
    rows = codes_of(train.user_ids, tested)
    wanted = _taken(rows[rows >= 0], columns[rows >= 0], train.n_users, item_ids.size)
    if not repeats:
        wanted = sparse.csr_matrix(wanted - wanted.multiply(everyone))
        wanted.eliminate_zeros()
    users = np.flatnonzero(np.diff(wanted.indptr))
    if n_users is not None and n_users < users.size:
        users = np.sort(generator(seed, "measured users").permutation(users)[:n_users])
    if users.size == 0:
        raise NobodyToMeasureError(
            "no user has both training interactions and something to be asked for; change the split"
        )
    return Task(
        train=train, catalogue=catalogue, user_ids=train.user_ids[users], histories=_histories(train, users),
        item_ids=item_ids, seen=everyone[users], relevant=wanted[users], at=at, repeats=repeats,
    )  # fmt: skip


def _histories(train: Interactions, users: npt.NDArray[np.int64]) -> list[History]:
    order = np.argsort(train.users, kind="stable")
    sorted_users = train.users[order]
    starts, stops = np.searchsorted(sorted_users, users), np.searchsorted(sorted_users, users, side="right")
    histories = []
    for start, stop in zip(starts, stops, strict=True):
        rows = order[max(start, stop - MOST_EVENTS) : stop]
        times = train.timestamps[rows].tolist() if train.dated else None
        histories.append(History(train.item_ids[train.items[rows]].tolist(), times, train.weights[rows].tolist()))
    return histories


def _taken(users: Any, items: Any, n_users: int, n_items: int) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(users)), (users, items)), shape=(n_users, n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _union(first: Ids, *others: Ids | None) -> Ids:
    """All ids, sorted.

    Raises:
        BadInputError: If some are numbers and some are strings.
    """
    given = [first, *(ids for ids in others if ids is not None and ids.size)]
    if len({ids.dtype.kind in "iu" for ids in given}) > 1:
        raise BadInputError("item ids must be all integers or all strings, in training, test and catalogue")
    return np.unique(np.concatenate(given))


def _pairs(interactions: Interactions, rows: Mask) -> tuple[Ids, Ids]:
    return interactions.user_ids[interactions.users[rows]], interactions.item_ids[interactions.items[rows]]


def _need_share(share: float) -> None:
    if not 0 < share < 1:
        raise BadInputError(f"the share to test on must be between 0 and 1, not {share}")
