"""Items that nobody took yet, on the Complete Journey data: ``python -m benchmarks.cold_items``, JSON out.

A fifth of the items with ten buyers or more is cold: none of their purchases is learnt from. The rest of what was
bought before 2017-11-26 is, with the whole catalogue. For each household that bought a cold item after that day, the
cold items are ranked. Intervals are 95%, by bootstrap over households; ``over_content`` is the mean of the paired
differences. Settings were chosen on the splits of ``--inner 1`` to ``3``, five weeks earlier and with the cold items
of this one taken out of the data; the first choice looked at one of them only, lost NDCG here, and was made again on
all three.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.quality import CUT, cases, catalogue_of, interval, lines, seconds
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.data.metrics import ndcg_at, recall_at
from reco_engine.recommenders import ContentBased, ContentMLP
from reco_engine.recommenders.base import best_places

Figures = npt.NDArray[np.float64]
SHARE = 0.2
LEAST_BUYERS = 10


class CategoryPopularity:
    """The mean takings of the warm items of a cold item's innermost category; the same list for everybody."""

    def __init__(self, interactions: Interactions, catalogue: Catalogue) -> None:
        takings = interactions.takers_over(catalogue.item_ids, np.ones(len(interactions)))
        leaves = [path[-1:] for path in catalogue.category or ()]
        table = pd.DataFrame({"leaf": leaves, "takings": takings})
        warm = table[table["takings"] > 0].groupby("leaf")["takings"].mean()
        self._ids, self._scores = catalogue.item_ids, table["leaf"].map(warm).fillna(0.0).to_numpy()

    def score(self, histories: list[History], items: Any = None, at: float | None = None) -> npt.NDArray[np.float32]:
        scores = self._scores[codes_of(self._ids, items)].astype(np.float32)
        return np.tile(scores, (len(histories), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inner", type=int, default=0, help="a seed: measure on that inner split; 0: the test one")
    options = parser.parse_args()
    bought, goods = lines()
    cut, before = CUT, bought[bought["transaction_timestamp"] < CUT]
    cold = cold_items(before, seed=0)
    if options.inner:
        bought = before[~before["product_id"].isin(cold)]
        cut = CUT - pd.Timedelta(days=35)
        before = bought[bought["transaction_timestamp"] < cut]
        cold = cold_items(before, seed=options.inner)
    train = before[~before["product_id"].isin(cold)]
    after = bought[(bought["transaction_timestamp"] >= cut) & bought["product_id"].isin(cold)]
    at = float(cut.timestamp())
    interactions = Interactions.from_arrays(
        train["household_id"].to_numpy(), train["product_id"].to_numpy(), seconds(train["transaction_timestamp"])
    )
    catalogue = catalogue_of(goods[goods["product_id"].isin(before["product_id"])], before)
    histories, later = cases(train, after)
    users = sorted(later)
    report: dict[str, Any] = {"cold_items": int(cold.size), "items": len(catalogue), "households": len(users)}
    rows: dict[str, tuple[Figures, Figures]] = {}
    for name, fit in {
        "category_popularity": lambda: CategoryPopularity(interactions, catalogue),
        "content": lambda: ContentBased().fit(interactions, catalogue, seed=0, at=at),
        "content_mlp": lambda: ContentMLP().fit(interactions, catalogue, seed=0, at=at),
    }.items():
        start = time.perf_counter()
        model = fit()
        fitted = round(time.perf_counter() - start, 1)
        rows[name] = measured(model, [histories[user] for user in users], [later[user] for user in users], cold, at)
        ndcg, recall = rows[name]
        report[name] = {"ndcg_at_10": interval(ndcg), "recall_at_20": interval(recall), "fit_s": fitted}
    for name in rows.keys() - {"content"}:
        gains = [mine - theirs for mine, theirs in zip(rows[name], rows["content"], strict=True)]
        report[name]["over_content"] = {"ndcg_at_10": interval(gains[0]), "recall_at_20": interval(gains[1])}
    print(json.dumps(report, indent=1))


def cold_items(bought: pd.DataFrame, *, seed: int) -> npt.NDArray[np.int64]:
    """A seeded random fifth of the items with enough buyers, sorted."""
    buyers = bought.groupby("product_id")["household_id"].nunique()
    enough = np.sort(buyers[buyers >= LEAST_BUYERS].index.to_numpy())
    return np.sort(np.random.default_rng([seed, 11]).permutation(enough)[: int(SHARE * enough.size)])


def measured(
    model: Any, histories: list[History], relevant: list[set[int]], cold: npt.NDArray[np.int64], at: float
) -> tuple[Figures, Figures]:
    """NDCG@10 and recall@20 of each household, the cold items alone ranked."""
    ranked = [cold[best_places(row, 20)].tolist() for row in model.score(histories, items=cold, at=at)]
    pairs = list(zip(ranked, relevant, strict=True))
    return (
        np.asarray([ndcg_at(best, wanted, 10) for best, wanted in pairs]),
        np.asarray([recall_at(best, wanted, 20) for best, wanted in pairs]),
    )


if __name__ == "__main__":
    main()
