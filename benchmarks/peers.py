"""The libraries that people use, with their own fits and, where they have one, their own batch ranking.

Each function learns from a matrix of ones and returns the lists of the wanted rows, shape (n_rows, 20), and the
seconds that learning took. Settings are public defaults or the ones their papers and documentation use; none
was chosen on these data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.public_data import K, Lists, best_unseen, chunks

N_TARGETS = 200
N_NEIGHBOURS = 100
ALS = {"factors": 128, "alpha": 40.0, "regularization": 10.0, "iterations": 15, "random_state": 0}
BLOCK = 1024
Rows = npt.NDArray[np.int64]
Ranked = tuple[Lists, float]


def item_knn(kind: str, train: sparse.csr_matrix, rows: Rows) -> Ranked:
    """One of implicit's item-item recommenders, all with ``N_TARGETS`` neighbours."""
    model, seconds = fitted_knn(kind, train)
    return _implicit_lists(model, train, rows), seconds


def fitted_knn(kind: str, train: sparse.csr_matrix) -> tuple[Any, float]:
    from implicit import nearest_neighbours

    model = getattr(nearest_neighbours, kind)(K=N_TARGETS)
    return model, _timed(lambda: model.fit(train, show_progress=False))


def als(train: sparse.csr_matrix, rows: Rows) -> Ranked:
    from implicit.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(**ALS)
    seconds = _timed(lambda: model.fit(train, show_progress=False))
    return _implicit_lists(model, train, rows), seconds


def dot_topn(train: sparse.csr_matrix, rows: Rows) -> Ranked:
    """The plain cosine by sparse-dot-topn, ranked by a sparse product."""
    start = time.perf_counter()
    targets = dot_topn_matrix(train)
    seconds = time.perf_counter() - start
    lists = [best_unseen((train[rows[cut]] @ targets).toarray(), train[rows[cut]]) for cut in chunks(rows.size, BLOCK)]
    return np.concatenate(lists), seconds


def dot_topn_matrix(train: sparse.csr_matrix) -> sparse.csr_matrix:
    """The ``N_TARGETS`` best other items of each item by plain cosine."""
    from sklearn.preprocessing import normalize
    from sparse_dot_topn import sp_matmul_topn

    columns = normalize(train, axis=0).tocsr()
    targets = sparse.csr_matrix(
        sp_matmul_topn(columns.T.tocsr(), columns, top_n=N_TARGETS + 1, threshold=0.0, sort=True, n_threads=2)
    )
    targets.data[targets.indices == np.repeat(np.arange(targets.shape[0]), np.diff(targets.indptr))] = 0.0
    return targets


def user_knn(train: sparse.csr_matrix, rows: Rows) -> Ranked:
    """Brute force over all users by scikit-learn; the user's own row is one of the neighbours."""
    start = time.perf_counter()
    search = brute_search(train)
    seconds = time.perf_counter() - start
    lists = []
    for cut in chunks(rows.size, BLOCK):
        mine = train[rows[cut]]
        lists.append(best_unseen(neighbours_scores(search, train, mine), mine))
    return np.concatenate(lists), seconds


def brute_search(train: sparse.csr_matrix) -> Any:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=N_NEIGHBOURS, metric="cosine", algorithm="brute").fit(train)


def neighbours_scores(search: Any, train: sparse.csr_matrix, mine: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """The neighbours' items, each weighted by the neighbour's cosine, shape (n_users, n_items)."""
    distances, neighbours = search.kneighbors(mine)
    starts = np.arange(0, neighbours.size + 1, neighbours.shape[1])
    shape = (mine.shape[0], train.shape[0])
    weights = sparse.csr_matrix((1.0 - distances.ravel(), neighbours.ravel(), starts), shape=shape)
    return np.asarray((weights @ train).toarray(), dtype=np.float64)


def lenskit_item_knn(train: sparse.csr_matrix, rows: Rows) -> Ranked:
    """LensKit's item kNN for implicit feedback, with its 20 neighbours an item."""
    import pandas as pd
    from lenskit.data import ItemList, RecQuery, from_interactions_df
    from lenskit.knn import ItemKNNScorer

    pairs = train.tocoo()
    data = from_interactions_df(pd.DataFrame({"user_id": pairs.row, "item_id": pairs.col}))
    scorer = ItemKNNScorer(feedback="implicit", save_nbrs=N_TARGETS)
    seconds = _timed(lambda: scorer.train(data))
    everything = ItemList(data.items.ids(), vocabulary=data.items)
    places = data.items.ids()
    lists = []
    for row in rows:
        own = ItemList(train.indices[train.indptr[row] : train.indptr[row + 1]])
        found = scorer(RecQuery(user_id=row, user_items=own), everything).scores()
        scores = np.full((1, train.shape[1]), -np.inf)
        scores[0, places] = np.nan_to_num(found, nan=-np.inf)
        lists.append(best_unseen(scores, train[row]))
    return np.concatenate(lists), seconds


PEERS: dict[str, Callable[[sparse.csr_matrix, Rows], Ranked]] = {
    "implicit CosineRecommender, K=200": partial(item_knn, "CosineRecommender"),
    "implicit TFIDFRecommender, K=200": partial(item_knn, "TFIDFRecommender"),
    "implicit BM25Recommender, K=200": partial(item_knn, "BM25Recommender"),
    "sparse-dot-topn cosine, 200": dot_topn,
    "scikit-learn brute user kNN, k=100": user_knn,
    "implicit ALS, 128 factors, alpha 40, reg 10, 15 iterations": als,
    "lenskit ItemKNN, 20 of 200 neighbours": lenskit_item_knn,
}


def _implicit_lists(model: Any, train: sparse.csr_matrix, rows: Rows) -> Lists:
    lists = []
    for cut in chunks(rows.size, BLOCK):
        places, scores = model.recommend(rows[cut], train[rows[cut]], N=K, filter_already_liked_items=True)
        lists.append(np.where(np.isfinite(scores) & (scores > -1e30), places, -1))
    return np.concatenate(lists).astype(np.int64)


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
