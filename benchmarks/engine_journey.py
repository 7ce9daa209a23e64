"""Complete Journey by time: ``benchmarks.quality`` as it is, and peers by the same protocol and metric code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.machine import tell, tried
from benchmarks.peers import ALS, N_TARGETS
from benchmarks.quality import CUT, Figures, cases, interval, lines
from reco_engine.data.metrics import ndcg_at

LENGTH = 10
KINDS = {
    "implicit BM25Recommender, K=200, counts": "bm25",
    "implicit ALS, 128 factors, alpha 40, reg 10, counts": "als 40",
    "implicit ALS, 128 factors, alpha 1, reg 10, log counts": "als 1",
}
"""With the alpha of the public splits, and with the one that suits counts."""


def journey(n_users: int | None) -> dict[str, Any]:
    """Discovery and next basket of ours (a process of its own) and of the peers, NDCG@10."""
    tell("completejourney")
    return {
        "protocol": "train before 2017-11-26, all items ranked; discovery: what was never bought; next basket: all",
        "ours": tried("benchmarks.quality", partial(_ours, n_users)),
        "peers": tried("peers", partial(_peers, n_users)),
    }


def _ours(n_users: int | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.quality", "--users", str(n_users or 0)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _peers(n_users: int | None) -> dict[str, Any]:
    bought, _ = lines()
    train = bought[bought["transaction_timestamp"] < CUT]
    shop = Shop(train, *cases(train, bought[bought["transaction_timestamp"] >= CUT]), n_users)
    report: dict[str, Any] = {}
    for part, new in (("discovery", True), ("next_basket", False)):
        report[part] = {name: tried(name, partial(shop.implicit, kind, new=new)) for name, kind in KINDS.items()}
    report["next_basket"]["most bought of the household"] = tried("most bought", shop.most_bought)
    return report


class Shop:
    """The purchase lines as peers read them: how often each household bought each product."""

    def __init__(self, train: pd.DataFrame, histories: Any, later: dict[int, set[int]], n_users: int | None) -> None:
        users, self.rows = np.unique(train["household_id"].to_numpy(), return_inverse=True)
        self.items, columns = np.unique(train["product_id"].to_numpy(), return_inverse=True)
        counts = (np.ones(len(train), np.float32), (self.rows, columns))
        self.counts = sparse.csr_matrix(counts, shape=(users.size, self.items.size))
        self.place = {int(user): place for place, user in enumerate(users)}
        self.histories, self.later = histories, later
        self.users = sorted(later)[:n_users]

    def implicit(self, kind: str, *, new: bool) -> dict[str, Any]:
        """For discovery without what the household had bought, else with it."""
        from implicit.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender

        counts = self.counts.log1p() if kind == "als 1" else self.counts
        model: Any = BM25Recommender(K=N_TARGETS)
        if kind != "bm25":
            model = AlternatingLeastSquares(**{**ALS, "alpha": float(kind.split()[1])})
        model.fit(counts, show_progress=False)
        wanted = {user: self.later[user] - set(self.histories[user].items) if new else self.later[user]
                  for user in self.users}  # fmt: skip
        users = [user for user in self.users if wanted[user]]
        rows = np.asarray([self.place[user] for user in users])
        places, _ = model.recommend(rows, counts[rows], N=LENGTH, filter_already_liked_items=new)
        lists = [self.items[row[row >= 0]].tolist() for row in places]
        return _figure([ndcg_at(best, wanted[user]) for best, user in zip(lists, users, strict=True)])

    def most_bought(self) -> dict[str, Any]:
        counts = {user: Counter(self.histories[user].items).most_common(LENGTH) for user in self.users}
        return _figure([ndcg_at([item for item, _ in counts[user]], self.later[user]) for user in self.users])


def _figure(figures: list[float]) -> dict[str, Any]:
    found: Figures = np.asarray(figures)
    return {**interval(found), "n": int(found.size)}
