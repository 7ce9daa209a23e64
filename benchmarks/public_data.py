"""The public splits: what may be learnt from, what is asked for, and how good a peer's lists are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import Interactions, codes_of
from reco_engine.data.intervals import bootstrap_intervals, paired_interval
from reco_engine.data.list_metrics import accuracy
from reco_engine.evaluation.task import Task, task_from_arrays

SETS = ("amazon_book_kgat", "amazon_cds")
K = 20
Lists = npt.NDArray[np.int64]
Figures = dict[str, npt.NDArray[np.float64]]


def interactions_of(folder: Path, name: str) -> Interactions:
    with np.load(folder / f"{name}.npz") as arrays:
        return Interactions.from_arrays(arrays["train_users"], arrays["train_items"])


def task_of_set(folder: Path, name: str, n_users: int | None) -> Task:
    """All test users, or so many of them drawn at random."""
    with np.load(folder / f"{name}.npz") as arrays:
        tested = arrays["test_users"], arrays["test_items"]
    return task_from_arrays(interactions_of(folder, name), *tested, n_users=n_users)


def train_matrix(task: Task) -> sparse.csr_matrix:
    """Who took what, ones, shape (n_train_users, n_items), float32: what peers learn from."""
    matrix = task.train.matrix_over(task.item_ids, np.ones(len(task.train)))
    matrix.data[:] = 1.0
    return matrix.astype(np.float32)


def rows_of_task(task: Task) -> npt.NDArray[np.int64]:
    """The rows of the measured users in ``train_matrix``."""
    return codes_of(task.train.user_ids, task.user_ids)


def best_unseen(scores: npt.NDArray[Any], seen: sparse.csr_matrix, n: int = K) -> Lists:
    """The places of the ``n`` highest scores of each row among what was not seen, best first.

    Args:
        scores: Shape (n_users, n_items); overwritten where something was seen.
    """
    users = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    scores[users, seen.indices] = -np.inf
    some = np.argpartition(scores, -n, axis=1)[:, -n:]
    best = np.take_along_axis(some, np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1), axis=1)
    return np.where(np.take_along_axis(scores, best, axis=1) == -np.inf, -1, best).astype(np.int64)


def figures_of(lists: Lists, task: Task) -> Figures:
    figures = accuracy(lists, task.relevant, k=K)
    return {name: figures[name] for name in ("recall", "ndcg")}


def summary(figures: Figures) -> dict[str, Any]:
    """Means of Recall@20 and NDCG@20 over users, with 95% bootstrap intervals."""
    intervals = bootstrap_intervals(np.stack(list(figures.values()), axis=1))
    return {
        f"{name}_at_20": {"mean": _r(each.mean), "low": _r(each.low), "high": _r(each.high)}
        for name, each in zip(figures, intervals, strict=True)
    }


def gains(figures: Figures, others: Figures) -> dict[str, Any]:
    """The mean of the paired differences, with 95% intervals."""
    told = {name: paired_interval(figures[name], others[name]) for name in figures}
    return {f"{n}_at_20": {"mean": _r(i.mean), "low": _r(i.low), "high": _r(i.high)} for n, i in told.items()}


def chunks(n: int, size: int) -> Sequence[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _r(value: float) -> float:
    return round(value, 5)
