"""Shops for the gate, one for each seed: made up, or some households of the Complete Journey data up to some day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.seeds import generator

DAY = 86_400.0
N_TASTES = 16
REPEATS = 0.3
"""Of what is taken, the share that the shopper had taken before."""
LAUNCHED = 0.1
"""Of the items, the share that comes later than the shop."""


@dataclass(frozen=True)
class Shop:
    """What shoppers did up to some days past ``at``, unix seconds, and what the items are."""

    interactions: Interactions
    catalogue: Catalogue
    at: float

    @property
    def known(self) -> Interactions:
        """What had happened by ``at``."""
        return self.interactions.where(self.interactions.timestamps <= self.at)


def made_up_shop(seed: int, *, n_shoppers: int = 3000, n_items: int = 1500, days: float = 180.0) -> Shop:
    """Shoppers with two tastes each, who come every week or two for a few items; the clock stops a week past ``at``."""
    rng = generator(seed, "made-up shop")
    taste_of = rng.integers(0, N_TASTES, n_items)
    appeal = np.exp(rng.normal(0.0, 1.0, n_items))
    launched = np.where(rng.random(n_items) < LAUNCHED, rng.uniform(0, days, n_items), -1.0)
    rows: list[tuple[int, int, float]] = []
    for shopper in range(n_shoppers):
        rows += _life(shopper, rng, taste_of, appeal, launched, days)
    users, items, times = (np.asarray(column) for column in zip(*rows, strict=True))
    return Shop(Interactions.from_arrays(users, items, times * DAY), _catalogue(taste_of, rng), at=(days - 7.0) * DAY)


def journey_shop(seed: int, *, days: float = 150.0, share: float = 0.8, least_takers: int = 5) -> Shop:
    """Four in five households, up to a week that the seed draws; the clock stops a week later."""
    from benchmarks.quality import catalogue_of, lines, seconds

    rng = generator(seed, "journey shop")
    bought, goods = lines()
    times = np.asarray(seconds(bought["transaction_timestamp"]), dtype=np.float64)
    at = float(times.max()) - DAY * (7.0 + 7.0 * int(rng.integers(0, 28)))
    everything = Interactions.from_arrays(
        bought["household_id"].to_numpy(), bought["product_id"].to_numpy(), times
    )  # fmt: skip
    drawn = (rng.random(everything.n_users) < share)[everything.users]
    recent = (everything.timestamps > at - days * DAY) & (everything.timestamps <= at + 7 * DAY)
    some = everything.where(drawn & recent)
    some = some.where((np.bincount(some.items, minlength=some.n_items) >= least_takers)[some.items])
    return Shop(some, catalogue_of(goods[goods["product_id"].isin(some.item_ids)], bought), at)


def _life(
    shopper: int,
    rng: np.random.Generator,
    taste_of: npt.NDArray[Any],
    appeal: npt.NDArray[Any],
    launched: npt.NDArray[Any],
    days: float,
) -> list[tuple[int, int, float]]:
    tastes = rng.choice(N_TASTES, 2, replace=False)
    liking = appeal * (0.05 + np.isin(taste_of, tastes) * rng.gamma(1.0, 1.0, taste_of.size))
    now = float(rng.uniform(-30.0, days)) if rng.random() < 0.3 else float(rng.uniform(0, 14.0))
    pause = float(rng.gamma(2.0, 6.0)) + 1.0
    rows: list[tuple[int, int, float]] = []
    had: list[int] = []
    while now < days:
        if now >= 0:
            chances = np.where(launched <= now, liking, 0.0)
            fresh = rng.choice(taste_of.size, 1 + rng.poisson(1.2), p=chances / chances.sum()).tolist()
            taken = [int(rng.choice(had)) if had and rng.random() < REPEATS else item for item in fresh]
            rows += [(shopper, item, now) for item in taken]
            had += taken
        now += float(rng.exponential(pause)) + 0.1
    return rows


def _catalogue(taste_of: npt.NDArray[Any], rng: np.random.Generator) -> Catalogue:
    return Catalogue.from_columns(
        np.arange(taste_of.size),
        text=[f"thing of shelf {taste} number {n}" for n, taste in enumerate(taste_of)],
        category=[(f"Floor {taste // 4}", f"Shelf {taste}") for taste in taste_of],
        brand=[f"Brand {n}" for n in rng.integers(0, 40, taste_of.size)],
        price=np.exp(rng.normal(3.0, 1.0, taste_of.size)),
    )
