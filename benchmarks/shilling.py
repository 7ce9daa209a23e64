"""What fake shoppers gain for one product, without and with the guard: ``python -m benchmarks.shilling``, JSON out.

Real are the households of the Complete Journey data, their last weeks; relevant is where a product with few takers
stands in their lists. Fakes are made up, seeded: new shoppers of the last days who view the target and put it in the
basket, and view popular products beside it; those who hide do more of the latter. One visitor with a thousand views
of the target is an attack of its own. The guard is what training does: the cap of a day, and leaving out whoever
``Hammering`` and ``Bots`` suspect. Nothing was chosen by looking at what this prints.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import device, tell
from benchmarks.quality import lines, seconds
from reco_engine.data.bots import Bots
from reco_engine.data.cleaning import clean
from reco_engine.data.cleaning_settings import shopper_rules
from reco_engine.data.events import EventBatch
from reco_engine.data.hammering import DAY, Hammering
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.ranking import Blend, Hybrid
from reco_engine.recommenders.registry import create

TYPES = {"purchase": 1, "refund": 2, "add_to_cart": 3, "view_item": 4}
WEIGHTS = {TYPES["purchase"]: 1.0, TYPES["add_to_cart"]: 0.6, TYPES["view_item"]: 0.3}
OFF = {"daily_cap": False}
PARTS: dict[str, dict[str, Any]] = {
    "popularity": {},
    "trending": {},
    "item_cf": {
        "min_support": 5, "activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3, "half_life": 180.0,
        "history_half_life": 60.0, "spectral_weight": 0.0, "n_targets": 400,
    },
    "user_cf": {
        "min_support": 5, "n_neighbours": 400, "popularity_exponent": 0.25, "target_exponent": 0.3, "activity": 0.0,
        "half_life": 120.0, "history_half_life": 120.0,
    },
}  # fmt: skip
"""The recommenders that learn from everybody at once, with the settings that their searches start from."""
ATTACKS = (
    ("plain", 1, 0.01), ("plain", 1, 0.03), ("plain", 1, 0.05),
    ("hidden", 10, 0.01), ("hidden", 10, 0.03), ("hidden", 10, 0.05), ("one visitor", 0, 0.0),
)  # fmt: skip
"""What it is called, popular products that each fake looks at beside the target, and fakes per household."""
FAKE = 10**9
"""Above every household's number."""
TOP = 10
LEAST_TAKERS = 5
"""Households that a product needs in the weeks looked at, to be one of the shop's."""
Rows = tuple[npt.NDArray[Any], ...]
"""Users, items, types, times and orders."""


@dataclass(frozen=True)
class Shop:
    """What the real shoppers did, and those whose lists are looked at."""

    events: Rows
    at: float
    popular: npt.NDArray[np.int64]
    readers: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=12, help="of the data, the last")
    parser.add_argument("--readers", type=int, default=400, help="households whose lists are looked at")
    parser.add_argument("--targets", type=int, default=5)
    parser.add_argument("--attacks", default="plain,hidden,one visitor", help="comma separated")
    options = parser.parse_args()
    shop, n_households = shop_of(options)
    histories = histories_of(shop)
    scales: dict[str, float] | None = None
    before = {}
    for guard in (False, True):
        model, scales = fitted(interactions_of(shop, None, guard=guard)[0], shop, histories, scales)
        before[guard] = ranks_of(model, shop, histories, shop.targets)
    report: dict[str, Any] = {
        "device": device(),
        "households": n_households,
        "events": int(shop.events[0].size),
        "readers": int(shop.readers.size),
        "targets": int(shop.targets.size),
        "false_positives": false_positives(),
        "attacks": {},
    }
    for name, others, share in [attack for attack in ATTACKS if attack[0] in options.attacks.split(",")]:
        n_fakes = round(share * n_households) or 1
        figures = {
            kind: attacked(shop, histories, before[guard], scales, n_fakes, others, guard=guard)
            for kind, guard in (("no_guard", False), ("guard", True))
        }
        gain = figures["no_guard"]["mean_rank_gain"]
        figures["gain_kept"] = round(figures["guard"]["mean_rank_gain"] / gain, 4) if gain > 0 else None
        report["attacks"][f"{name}, {share:.0%}" if share else name] = {"fakes": n_fakes, **figures}
        tell(f"{name} {share}: {figures}")
    print(json.dumps(report, indent=1))


def shop_of(options: argparse.Namespace) -> tuple[Shop, int]:
    bought, _ = lines()
    times = seconds(bought["transaction_timestamp"]).astype(np.float64)
    at = float(times.max())
    recent = times > at - options.weeks * 7 * DAY
    columns = ("household_id", "product_id", "basket_id")
    users, items, orders = (bought[name].to_numpy().astype(np.int64)[recent] for name in columns)
    times = times[recent]
    rng = np.random.default_rng(0)
    pairs = np.unique(np.stack([users, items], axis=1), axis=0)
    known, takers = np.unique(pairs[:, 1], return_counts=True)
    sold = np.isin(items, known[takers >= LEAST_TAKERS])
    households = np.unique(users[sold])
    events = (users[sold], items[sold], np.full(int(sold.sum()), TYPES["purchase"]), times[sold], orders[sold])
    popular = known[np.argsort(-takers, kind="stable")[:100]]
    few = known[(takers >= LEAST_TAKERS) & (takers <= 4 * LEAST_TAKERS)]
    readers = np.sort(rng.choice(households, min(options.readers, households.size), replace=False))
    return Shop(events, at, popular, readers, rng.choice(few, options.targets, replace=False)), households.size


def fakes_of(shop: Shop, target: int, n_fakes: int, n_others: int) -> Rows:
    """New shoppers of the last three days: four views of the target and a basket, and other, popular products.

    A single one views the target a thousand times instead, half a minute apart.
    """
    rng = np.random.default_rng([int(target), n_fakes, n_others])
    rows: list[tuple[int, int, int, float]] = []
    for fake in range(n_fakes):
        start = shop.at - float(rng.uniform(0.1, 3.0)) * DAY
        n_views = 4 if n_fakes > 1 else 1_000
        rows += [(FAKE + fake, target, TYPES["view_item"], start + 30.0 * n) for n in range(n_views)]
        rows.append((FAKE + fake, target, TYPES["add_to_cart"], start + 30.0 * n_views))
        for n, other in enumerate(rng.choice(shop.popular, n_others, replace=False).tolist()):
            rows.append((FAKE + fake, other, TYPES["view_item"], start + 30.0 * n_views + 40.0 * (n + 1)))
    return *(np.asarray(column) for column in zip(*rows, strict=True)), np.zeros(len(rows), dtype=np.int64)


def interactions_of(shop: Shop, fakes: Rows | None, *, guard: bool) -> tuple[Interactions, set[int]]:
    """What training would learn from, and whom it would flag."""
    columns = (
        [np.concatenate([one, two]) for one, two in zip(shop.events, fakes, strict=True)] if fakes else shop.events
    )
    users, items, types, times, orders = columns
    events = EventBatch.from_arrays(users, items, types, times, orders=orders)
    flagged = {burst.user for burst in Bots().bursts(events)} if guard else set()
    rules = shopper_rules({} if guard else OFF, weights=WEIGHTS, types=TYPES)
    cleaned, _ = clean(events, rules, at=shop.at)
    interactions = cleaned.interactions(WEIGHTS)
    if not guard:
        return interactions, set()
    flagged |= {suspect.user for suspect in Hammering().suspects(interactions, at=shop.at)}
    gone = np.isin(interactions.user_ids, np.asarray(sorted(flagged), dtype=np.int64))  # type: ignore[type-var]
    return interactions.where(~gone[interactions.users]), flagged  # type: ignore[return-value]


def histories_of(shop: Shop) -> list[History]:
    users, items, _types, times, _orders = shop.events
    found = []
    for reader in shop.readers.tolist():
        mine = users == reader
        found.append(History(items[mine].tolist(), times[mine].tolist()))
    return found


def fitted(
    interactions: Interactions, shop: Shop, histories: list[History], scales: dict[str, float] | None
) -> tuple[Hybrid, dict[str, float]]:
    """The parts, blended by the weights that come with the product, in units that are the same in every run."""
    parts = {name: create(name, **given).fit(interactions, None, at=shop.at) for name, given in PARTS.items()}
    if scales is None:
        best = {name: part.score(histories[:100], at=shop.at) for name, part in parts.items()}
        scales = {name: 1.0 / float(np.median(np.nanmax(np.abs(rows), axis=1))) for name, rows in best.items()}
    return Hybrid(parts, Blend.default(scales)), scales


def ranks_of(model: Hybrid, shop: Shop, histories: list[History], targets: npt.NDArray[np.int64]) -> Any:
    """Where each target stands in each reader's list, from 1, shape (n_readers, n_targets); NaN: taken already."""
    places = codes_of(model.item_ids, targets)
    ranks = np.full((len(histories), targets.size), np.nan)
    for row, history in enumerate(histories):
        scores = np.nan_to_num(model.score([history], at=shop.at)[0].astype(np.float64), nan=-np.inf)
        seen = codes_of(model.item_ids, history.items)
        mine = scores[places]
        scores[seen[seen >= 0]] = -np.inf
        ranks[row] = 1.0 + (scores[None, :] > mine[:, None]).sum(axis=1)
        ranks[row, np.isin(places, seen)] = np.nan
    return ranks


def attacked(
    shop: Shop,
    histories: list[History],
    before: npt.NDArray[np.float64],
    scales: dict[str, float] | None,
    n_fakes: int,
    n_others: int,
    *,
    guard: bool,
) -> dict[str, Any]:
    """The mean over targets, each attacked on its own."""
    after, found, wrong = np.empty_like(before), 0, 0
    for column, target in enumerate(shop.targets.tolist()):
        interactions, flagged = interactions_of(shop, fakes_of(shop, target, n_fakes, n_others), guard=guard)
        found += sum(user >= FAKE for user in flagged)
        wrong += sum(user < FAKE for user in flagged)
        model, _ = fitted(interactions, shop, histories, scales)
        after[:, column] = ranks_of(model, shop, histories, np.asarray([target]))[:, 0]
    return {
        "mean_rank_gain": round(float(np.nanmean(before - after)), 2),
        "mean_rank_before": round(float(np.nanmean(before)), 1),
        "enters_top_10": round(float(np.nanmean(after <= TOP) - np.nanmean(before <= TOP)), 5),
        "flagged_fakes": round(found / (n_fakes * shop.targets.size), 4),
        "flagged_households": wrong,
    }


def false_positives() -> dict[str, Any]:
    """Real households that the guard flags in a whole year, at its end and at the end of each month before."""
    bought, _ = lines()
    times = seconds(bought["transaction_timestamp"]).astype(np.float64)
    users, items = (bought[name].to_numpy().astype(np.int64) for name in ("household_id", "product_id"))
    orders = bought["basket_id"].to_numpy().astype(np.int64)
    types = np.full(users.size, TYPES["purchase"])
    events = EventBatch.from_arrays(users, items, types, times, orders=orders)
    bots = {burst.user for burst in Bots().bursts(events)}
    hammering: set[Any] = set()
    end = float(times.max())
    for month in range(12):
        at = end - month * 30 * DAY
        upto = events.where(times <= at)
        hammering |= {each.user for each in Hammering().suspects(upto.interactions(WEIGHTS), at=at)}
    return {"households": int(np.unique(users).size), "bots": len(bots), "hammering": len(hammering)}


if __name__ == "__main__":
    main()
