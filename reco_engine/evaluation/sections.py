"""The questions of the gate: one cut in time, four ways to ask what shoppers took after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import SECONDS_A_DAY, History, Interactions, codes_of
from reco_engine.data.list_metrics import Figures, accuracy
from reco_engine.errors import BadInputError
from reco_engine.seeds import generator

from .protocol import Places, figures_of
from .task import Task, task_from_arrays

DISCOVERY, NEXT_BASKET = "discovery", "next_basket"
NEW_SHOPPERS, NEW_PRODUCTS = "new_shoppers", "new_products"
FEW_EVENTS = 9
"""The most that a new shopper's history holds: the blend's bucket of short histories ends here."""
DRAWS = 100
"""Of chance: lists that know nothing are luckier than the luckiest of these in one case of 101."""


@dataclass(frozen=True, eq=False)
class Question:
    """One task, and how the lists made for it are measured.

    Attributes:
        rows: Of the task's shoppers, those who are measured.
        relevant: What each of those is asked for, shape (n_rows, n_items).
        whole: Whether what the lists are like is measured, too; else only whether they are right.
    """

    task: Task
    rows: npt.NDArray[np.int64]
    relevant: sparse.csr_matrix
    whole: bool = True

    @classmethod
    def of(cls, task: Task) -> Question:
        return cls(task, np.arange(task.user_ids.size), task.relevant)

    def figures(self, lists: Places, k: int) -> dict[str, Figures]:
        """By measure, shape (n_rows,), of the lists of all the task's shoppers."""
        return figures_of(lists, self.task, k) if self.whole else accuracy(lists[self.rows], self.relevant, k=k)

    def luckiest(self, lists: Places, k: int, *, seed: int) -> Figures:
        """The NDCG of the same lists with other items in them, shape (n_rows,): the best of ``DRAWS`` such swaps.

        Each item on offer gives its places to another, drawn at random, so that lists which show a few items to many
        shoppers keep their luck with those.
        """
        offered, rng = np.flatnonzero(self.task.offered), generator(seed, "swapped items")
        drawn = []
        for _ in range(DRAWS):
            others = np.arange(self.task.item_ids.size)
            others[offered] = rng.permutation(offered)
            swapped = np.where(lists >= 0, others[lists], -1)
            drawn.append(accuracy(swapped[self.rows], self.relevant, k=k)["ndcg"])
        return max(drawn, key=lambda figures: float(figures.mean()))


@dataclass(frozen=True, eq=False)
class Exam:
    """What recipes learn from, and what they are asked: ``before`` ends at t1, the questions at t2."""

    before: Interactions
    returning: Task
    newcomers: Task | None

    @classmethod
    def of(
        cls, interactions: Interactions, catalogue: Catalogue | None, *, t1: float, t2: float, n_users: int, seed: int
    ) -> Exam:
        """Cut at t1 and leave out what lies past t2.

        Raises:
            BadInputError: If nothing is dated, or nothing lies before t1.
            NobodyToMeasureError: If no shopper is on both sides of t1.
        """
        if not interactions.dated:
            raise BadInputError("timestamps are missing; recipes are compared over time")
        upto = interactions.where(interactions.timestamps <= t2)
        earlier = upto.timestamps <= t1
        if not earlier.any():
            raise BadInputError("there is nothing to learn from before the holdout; make it shorter")
        before, later = upto.where(earlier), upto.where(~earlier)
        returning = task_from_arrays(
            before, later.user_ids[later.users], later.item_ids[later.items],
            seed=seed, catalogue=catalogue, at=t1, repeats=True, n_users=n_users,
        )  # fmt: skip
        return cls(before, returning, _newcomers(upto, returning, t1, n_users, seed))

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """By section; a section about which nothing can be asked is left out."""
        asked = {NEXT_BASKET: Question.of(self.returning)}
        new = sparse.csr_matrix(self.returning.relevant - self.returning.relevant.multiply(self.returning.seen))
        new.eliminate_zeros()
        rows = np.flatnonzero(np.diff(new.indptr))
        if rows.size:
            histories = [self.returning.histories[row] for row in rows.tolist()]
            task = self.returning.asking(
                user_ids=self.returning.user_ids[rows], histories=histories,
                seen=self.returning.seen[rows], relevant=new[rows], repeats=False,
            )  # fmt: skip
            asked[DISCOVERY] = Question.of(task)
            if (products := self._new_products(task)) is not None:
                asked[NEW_PRODUCTS] = products
        if self.newcomers is not None:
            asked[NEW_SHOPPERS] = Question.of(self.newcomers)
        return asked

    def _new_products(self, task: Task) -> Question | None:
        """The lists of discovery, seen from the items that nobody had taken before t1."""
        unknown = (codes_of(self.before.item_ids, task.item_ids) < 0).astype(np.float64)
        relevant = sparse.csr_matrix(task.relevant @ sparse.diags(unknown))
        relevant.eliminate_zeros()
        rows = np.flatnonzero(np.diff(relevant.indptr))
        return Question(task, rows, relevant[rows], whole=False) if rows.size else None


def _newcomers(upto: Interactions, shop: Task, t1: float, n_users: int, seed: int) -> Task | None:
    """Shoppers with a few events when they are asked; None where there are none.

    Those with less than ten events at t1, asked for what they took anew after it; and those who came after it, asked
    after their first day, or nine events of it, for what they took anew later: they are strangers to what was learnt.
    """
    known = np.bincount(upto.users[upto.timestamps <= t1], minlength=upto.n_users)
    after = np.bincount(upto.users[upto.timestamps > t1], minlength=upto.n_users)
    few = generator(seed, "new shoppers").permutation(np.flatnonzero((known <= FEW_EVENTS) & (after > 0)))
    order = np.argsort(upto.users, kind="stable")
    starts = np.searchsorted(upto.users[order], np.arange(upto.n_users + 1))
    cases: list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    for user in few.tolist():
        rows = order[starts[user] : starts[user + 1]]
        times = upto.timestamps[rows]
        size = int(known[user]) or min(FEW_EVENTS, int(np.searchsorted(times, times[0] + SECONDS_A_DAY, side="right")))
        had = upto.items[rows[:size]]
        asked = np.setdiff1d(upto.items[rows[times > max(t1, times[size - 1])]], had)
        if asked.size:
            cases.append((user, rows[:size], asked))
        if len(cases) == n_users:
            break
    if not cases:
        return None
    histories = [
        History(upto.item_ids[upto.items[rows]].tolist(), upto.timestamps[rows].tolist(), upto.weights[rows].tolist())
        for _, rows, _ in cases
    ]
    places = np.searchsorted(shop.item_ids, upto.item_ids)
    return shop.asking(
        user_ids=upto.user_ids[[user for user, _, _ in cases]], histories=histories, at=None, repeats=False,
        seen=_ones([places[np.unique(upto.items[rows])] for _, rows, _ in cases], shop.item_ids.size),
        relevant=_ones([places[asked] for _, _, asked in cases], shop.item_ids.size),
    )  # fmt: skip


def _ones(rows: list[npt.NDArray[np.int64]], n_items: int) -> sparse.csr_matrix:
    starts = np.concatenate([[0], np.cumsum([row.size for row in rows])])
    columns = np.concatenate(rows)
    return sparse.csr_matrix((np.ones(columns.size), columns, starts), shape=(len(rows), n_items))
