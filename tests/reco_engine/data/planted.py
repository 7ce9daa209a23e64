"""A log of a shop with faults of each kind at known rows, amid good rows that no rule may touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reco_engine.data.events import EventBatch

NOW = 1_700_000_000.0
N_ITEMS = 60
ITEMS = tuple(f"item-{n:02}" for n in range(N_ITEMS))
WEIGHTS = {"purchase": 1.0, "add_to_cart": 0.6, "rate": 0.5, "view_item": 0.3}
NAN, INF = float("nan"), float("inf")


@dataclass
class Row:
    """One event, before it has a place in the log."""

    user: str
    item: str
    type: str
    time: float
    quantity: float = NAN
    price: float = NAN
    rating: float = NAN
    order: str = ""


@dataclass
class Planted:
    """The log, and by rule the rows that it must drop and those that it must change."""

    events: EventBatch
    dropped: dict[str, set[int]]
    changed: dict[str, set[int]]


@dataclass
class _Log:
    rng: np.random.Generator
    rows: list[Row] = field(default_factory=list)
    dropped: dict[str, set[int]] = field(default_factory=dict)
    changed: dict[str, set[int]] = field(default_factory=dict)
    untouched: list[int] = field(default_factory=list)
    twins: list[tuple[int, int]] = field(default_factory=list)  # of which the one that stands first stays

    def add(self, row: Row, *, dropped_by: str = "", changed_by: str = "") -> int:
        place = len(self.rows)
        self.rows.append(row)
        if dropped_by:
            self.dropped.setdefault(dropped_by, set()).add(place)
        if changed_by:
            self.changed.setdefault(changed_by, set()).add(place)
        return place

    def good(self, type_: str | None = None) -> Row:
        """A good row that no other fault was built on."""
        places = [place for place in self.untouched if type_ in (None, self.rows[place].type)]
        place = places[int(self.rng.integers(len(places)))]
        self.untouched.remove(place)
        return self.rows[place]


def planted(*, seed: int, n_shoppers: int = 12, n_events: int = 40, n_faults: int = 2) -> Planted:
    """Shoppers of ``n_events`` good events each, an hour to a day apart, and each kind of fault ``n_faults`` times."""
    log = _Log(np.random.default_rng(seed))
    for shopper in range(n_shoppers):
        _shop(log, f"shopper-{shopper}", n_events)
    log.untouched = list(range(len(log.rows)))
    for fault in FAULTS:
        for n in range(n_faults):
            fault(log, n)
    order = log.rng.permutation(len(log.rows))
    places = np.argsort(order)
    columns = {
        name: [getattr(log.rows[row], attribute) for row in order]
        for name, attribute in {
            "users": "user", "items": "item", "types": "type", "timestamps": "time", "quantities": "quantity",
            "prices": "price", "ratings": "rating", "orders": "order",
        }.items()
    }  # fmt: skip
    dropped, changed = (
        {rule: {int(places[row]) for row in rows} for rule, rows in each.items()} for each in (log.dropped, log.changed)
    )
    dropped["exact_duplicates"] = {int(max(places[one], places[other])) for one, other in log.twins}
    return Planted(EventBatch.from_arrays(**columns), dropped, changed)


def _shop(log: _Log, user: str, n_events: int) -> None:
    """An item comes again only after all others did, so that no day knows it twice."""
    rng = log.rng
    times = NOW - 86_400.0 - np.cumsum(rng.uniform(3_600.0, 86_400.0, n_events))
    start = int(rng.integers(N_ITEMS))
    for n, time in enumerate(times.tolist()):
        kind = str(rng.choice(["view_item", "add_to_cart", "purchase", "rate"], p=[0.5, 0.1, 0.35, 0.05]))
        row = Row(user, ITEMS[(start + 7 * n) % N_ITEMS], kind, time)
        if kind == "purchase":
            row.quantity, row.price = float(rng.integers(2, 5)), round(float(rng.uniform(1, 50)), 2)
            row.order = f"{user}/{n}"
        if kind == "rate":
            row.rating = float(rng.integers(1, 6))
        log.add(row)


def _impossible_time(log: _Log, n: int) -> None:
    time = (NAN, INF, -INF, 0.0, NOW + 40 * 86_400.0)[int(log.rng.integers(5))]
    log.add(Row(f"shopper-{n}", ITEMS[n], "view_item", time), dropped_by="impossible_times")


def _exact_duplicate(log: _Log, n: int) -> None:
    good = log.good()
    log.twins.append((log.rows.index(good), log.add(Row(**vars(good)))))


def _near_duplicates(log: _Log, n: int) -> None:
    """A burst: each within five seconds of the one before."""
    good, time = log.good(), 0.0
    for _ in range(int(log.rng.integers(1, 4))):
        time += float(log.rng.uniform(0.1, 4.9))
        log.add(Row(**{**vars(good), "time": good.time + time}), dropped_by="near_duplicates")


def _bot(log: _Log, n: int) -> None:
    """A hundred and more different products within a minute, and one honest click long before."""
    start = NOW - float(log.rng.uniform(2, 300)) * 86_400.0
    for k in range(int(log.rng.integers(101, 140))):
        log.add(
            Row(f"bot-{n}", f"{ITEMS[k % N_ITEMS]}", "view_item", start + 0.4 * k + (k // N_ITEMS) * 0.01),
            dropped_by="bots",
        )
    log.add(Row(f"bot-{n}", ITEMS[n], "view_item", start - 86_400.0), dropped_by="bots")


def _unknown_product(log: _Log, n: int) -> None:
    good = log.good("view_item")
    log.add(
        Row(good.user, str(log.rng.choice(["gone", ""])), "view_item", good.time + 600.0 + n),
        dropped_by="unknown_products",
    )


def _whole_return(log: _Log, n: int) -> None:
    bought = log.good("purchase")
    log.dropped.setdefault("returns", set()).add(log.rows.index(bought))
    log.add(Row(**{**vars(bought), "type": "refund", "time": bought.time + 900.0}), dropped_by="returns")


def _part_return(log: _Log, n: int) -> None:
    bought = log.good("purchase")
    log.changed.setdefault("returns", set()).add(log.rows.index(bought))
    back = Row(**{**vars(bought), "type": "refund", "time": bought.time + 900.0, "quantity": 1.0})
    log.add(back, dropped_by="returns")


def _impossible_quantity(log: _Log, n: int) -> None:
    good = log.good("view_item")
    quantity = float(log.rng.choice([0.0, INF, 1e308, 20_000.0]))
    log.add(
        Row(good.user, good.item, "add_to_cart", good.time + 700.0, quantity=quantity),
        dropped_by="impossible_quantities",
    )


def _impossible_price(log: _Log, n: int) -> None:
    bought = log.good("purchase")
    bought.price = float(log.rng.choice([-1.0, INF, -INF, 1e308]))
    log.changed.setdefault("impossible_prices", set()).add(log.rows.index(bought))


def _impossible_rating(log: _Log, n: int) -> None:
    good = log.good("view_item")
    rating = float(log.rng.choice([0.0, -3.0, INF, 77.0]))
    log.add(Row(good.user, good.item, "rate", good.time + 800.0, rating=rating), changed_by="impossible_ratings")


def _more_than_a_day_counts(log: _Log, n: int) -> None:
    """Ten views of 0.3 on one day: six count, the seventh 0.2 of it, the rest nothing."""
    day = np.floor((NOW - float(log.rng.uniform(400, 800)) * 86_400.0) / 86_400.0) * 86_400.0
    for k in range(10):
        told = {"changed_by": "daily_cap"} if k == 6 else {"dropped_by": "daily_cap"} if k > 6 else {}
        log.add(Row(f"shopper-{n}", ITEMS[5], "view_item", day + 3_600.0 + 100.0 * k), **told)


FAULTS: tuple[Callable[[_Log, int], None], ...] = (
    _impossible_time, _exact_duplicate, _near_duplicates, _bot, _unknown_product, _whole_return, _part_return,
    _impossible_quantity, _impossible_price, _impossible_rating, _more_than_a_day_counts,
)  # fmt: skip
