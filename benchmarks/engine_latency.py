"""Milliseconds for one shopper's twenty items, one thread, and shoppers a second in a batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.machine import tried
from benchmarks.peers import ALS, brute_search, dot_topn_matrix, fitted_knn, neighbours_scores
from benchmarks.public_data import K, best_unseen, rows_of_task, task_of_set, train_matrix
from reco_engine.data.interactions import History
from reco_engine.evaluation.task import Task
from reco_engine.ranking import recommend
from reco_engine.recommenders import BehaviourMLP, ItemCF, UserCF
from reco_engine.recommenders.item_cf import SEARCH as ITEM_SEARCH
from reco_engine.recommenders.user_cf import SEARCH as USER_SEARCH

N_SHOPPERS = 1000
N_BATCH = 10_000


def latency(job: dict[str, Any]) -> dict[str, Any]:
    """What the child does; ``settings`` are those found by the quality part, else the usual ones.

    The network is trained for one epoch: how long serving takes does not depend on it.
    """
    task = task_of_set(Path(job["folder"]), job["data"], job["users"])
    found = job["settings"]
    with threadpool_limits(limits=1):
        item_cf = ItemCF(**found.get("item_cf", ITEM_SEARCH.start)).fit(task.train)
        small = ItemCF(**{**found.get("item_cf", ITEM_SEARCH.start), "n_targets": 200}).fit(task.train)
        models = {
            "item_cf": lambda: item_cf,
            "item_cf, n_targets=200": lambda: small,
            "user_cf": lambda: UserCF(**found.get("user_cf", USER_SEARCH.start)).fit(task.train),
            "behaviour_mlp": lambda: BehaviourMLP(n_epochs=1, temperature=0.13).fit(task.train),
        }
        single: dict[str, Any] = {
            name: tried(name, lambda make=make: _ours(make(), task))  # type: ignore[misc]
            for name, make in models.items()
        }
        single |= {name: tried(name, lambda peer=peer: peer(task)) for name, peer in PEERS.items()}  # type: ignore[misc]
        batch = {
            "item_cf": tried("batch", lambda: _batch(item_cf, task)),
            "item_cf, n_targets=200": tried("batch", lambda: _batch(small, task)),
            "implicit CosineRecommender": tried("batch", lambda: _implicit_batch(task)),
        }
    return {
        "data": job["data"], "items": int(task.item_ids.size), "train_users": task.train.n_users, "threads": 1,
        "settings": found or "the usual ones", "one_shopper_top_20_ms": single, "batch_top_20": batch,
    }  # fmt: skip


def _ours(model: Any, task: Task) -> dict[str, Any]:
    histories = [task.histories[row].items for row in _some(task, N_SHOPPERS)]
    return _timed(lambda n: recommend(model, [History(histories[n])], K), len(histories))


def _implicit(task: Task) -> dict[str, Any]:
    train, rows = train_matrix(task), rows_of_task(task)[_some(task, N_SHOPPERS)]
    model, _ = fitted_knn("CosineRecommender", train)
    mine = [train[row] for row in rows]
    return _timed(lambda n: model.recommend(int(rows[n]), mine[n], N=K), rows.size)


def _als(task: Task) -> dict[str, Any]:
    from implicit.als import AlternatingLeastSquares

    train, rows = train_matrix(task), rows_of_task(task)[_some(task, N_SHOPPERS)]
    model = AlternatingLeastSquares(**{**ALS, "iterations": 1}, num_threads=1)
    model.fit(train, show_progress=False)
    mine = [train[row] for row in rows]
    return _timed(lambda n: model.recommend(int(rows[n]), mine[n], N=K), rows.size)


def _scipy(task: Task) -> dict[str, Any]:
    """A row of the history times the cut similarities, made dense and partitioned."""
    train, rows = train_matrix(task), rows_of_task(task)[_some(task, N_SHOPPERS)]
    targets = dot_topn_matrix(train)
    mine = [train[row] for row in rows]
    return _timed(lambda n: best_unseen((mine[n] @ targets).toarray(), mine[n]), rows.size)


def _brute(task: Task) -> dict[str, Any]:
    train, rows = train_matrix(task), rows_of_task(task)[_some(task, N_SHOPPERS)]
    search = brute_search(train)
    mine = [train[row] for row in rows]
    return _timed(lambda n: best_unseen(neighbours_scores(search, train, mine[n]), mine[n]), rows.size)


PEERS: dict[str, Callable[[Task], dict[str, Any]]] = {
    "implicit CosineRecommender, K=200": _implicit,
    "scipy row product, K=200": _scipy,
    "scikit-learn brute user kNN, k=100": _brute,
    "implicit ALS, 128 factors, user known": _als,
}


def _batch(model: Any, task: Task) -> dict[str, Any]:
    histories = [History(task.histories[row].items) for row in _some(task, N_BATCH)]
    start = time.perf_counter()
    recommend(model, histories, K)
    return {"shoppers": len(histories), "shoppers_per_s": round(len(histories) / (time.perf_counter() - start))}


def _implicit_batch(task: Task) -> dict[str, Any]:
    train, rows = train_matrix(task), rows_of_task(task)[_some(task, N_BATCH)]
    model, _ = fitted_knn("CosineRecommender", train)
    mine = train[rows]
    start = time.perf_counter()
    model.recommend(rows, mine, N=K)
    return {"shoppers": int(rows.size), "shoppers_per_s": round(rows.size / (time.perf_counter() - start))}


def _timed(serve: Callable[[int], Any], n: int) -> dict[str, Any]:
    """Milliseconds of each call, after one that is not counted."""
    serve(0)
    times = []
    for each in range(n):
        start = time.perf_counter()
        serve(each)
        times.append(1000 * (time.perf_counter() - start))
    return {"n": n, "p50": round(float(np.percentile(times, 50)), 3), "p95": round(float(np.percentile(times, 95)), 3)}


def _some(task: Task, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The same shoppers for everybody, spread over all that are measured."""
    size = len(task.histories)
    return np.linspace(0, size - 1, min(n, size)).astype(np.int64)
