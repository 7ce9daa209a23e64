"""What staff see of groups of shoppers: sizes, habits, what is typical of each, and how they grew.

Never of one shopper, and nothing that fewer than MIN_SUPPORT shoppers stand behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shop_reco.conf import reco_settings
from shop_reco.products.models import Product
from shop_reco.products.selectors import sensitive_paths

from .charts import Trend, trend
from .engine import Silence, habits_of, silence_of
from .models import Segmentation
from .segmenting import named
from .selectors import earlier_segmentations, products_named

FULL = 100.0
"""Percent of a bar."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A product or a category that is typical of a group.

    Attributes:
        pk: The product's primary key; None of a category.
        n: Shoppers of the group who took to it; ``share`` is percent of the group.
        lift: How many times as much of it there is as in the whole shop.
        width: The lift's bar, in percent of the longest one of all groups.
    """

    name: str
    pk: int | None
    n: int
    share: int
    lift: float
    width: float


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual in a group: days since the last purchase, orders, money in the shop's currency, pieces an order."""

    away: float
    orders: float
    spent: Decimal
    basket: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group.

    Attributes:
        share, width: Percent of all who may be counted, and of the longest bar.
        tastes: Categories that many of its shoppers have among their strongest interests, with how many have.
        trend: Its share night by night; None with fewer than two nights.
    """

    name: str
    n: int
    share: int
    width: float
    habit: Habit
    products: list[Thing]
    categories: list[Thing]
    tastes: list[tuple[str, int]]
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups of one night.

    Attributes:
        rest: Shoppers in no group, who ordered less than twice; None where they are too few to be told of.
        usual: Where on a bar of lifts the whole shop lies, in percent of its width.
        days: How far back events were counted; None where that night counted none.
    """

    groups: list[Group]
    rest: int | None
    rest_share: int
    rest_width: float
    usual: float
    days: int | None
    silhouette: float
    currency: str


def groups_of(segmentation: Segmentation, *, with_trend: bool = True) -> Groups:
    """What may be told of the groups of one night; three queries, whatever the number of shoppers."""
    content, least, silence = segmentation.content, reco_settings().MIN_SUPPORT, silence_of(sensitive_paths())
    shown = [place for place, size in enumerate(content["sizes"]) if size >= least]
    n_all = content.get("shoppers", segmentation.n_shoppers)
    rest = n_all - segmentation.n_shoppers
    told = content.get("typical") or [{"products": [], "categories": []} for _ in content["sizes"]]
    titles = _titles(told, silence)
    lifts = [
        lift for place in shown for kind in ("products", "categories") for key, n, lift in told[place][kind]
        if _may_tell(kind, key, n, titles, silence, least)
    ]  # fmt: skip
    longest, largest = max([1.0, *lifts]), max([1, rest, *(content["sizes"][place] for place in shown)])
    nights = _nights(least) if with_trend else {}
    habits = habits_of(content)

    def things(place: int, kind: str) -> list[Thing]:
        size = content["sizes"][place]
        return [
            Thing(
                name=titles[key] if kind == "products" else str(key),
                pk=key if kind == "products" else None,
                n=n,
                share=_percent(n, size),
                lift=lift,
                width=round(FULL * lift / longest, 1),
            )
            for key, n, lift in told[place][kind]
            if _may_tell(kind, key, n, titles, silence, least)
        ]

    groups = [
        Group(
            name=named(content["names"][place]),
            n=content["sizes"][place],
            share=_percent(content["sizes"][place], n_all),
            width=round(FULL * content["sizes"][place] / largest, 1),
            habit=_habit(habits[place]),
            products=things(place, "products"),
            categories=things(place, "categories"),
            tastes=[(path, n) for path, n in content["tastes"][place] if n >= least and not silence.covers(path)],
            trend=trend(nights.get(frozenset(content["names"][place]), [])),
        )
        for place in shown
    ]
    return Groups(
        groups=groups,
        rest=rest if rest >= least else None,
        rest_share=_percent(rest, n_all),
        rest_width=round(FULL * rest / largest, 1),
        usual=round(FULL / longest, 1),
        days=content.get("days"),
        silhouette=content["silhouette"],
        currency=reco_settings().CURRENCY,
    )


def _titles(told: Sequence[Mapping[str, Any]], silence: Silence) -> dict[int, str]:
    """What products are called that are still there and of no sensitive category."""
    products = products_named(pks={key for group in told for key, _n, _lift in group["products"]})
    return {each.pk: each.title for each in products if not any(map(silence.covers, _paths(each)))}


def _paths(product: Product) -> list[str]:
    return [product.category.path] if product.category else []


def _may_tell(kind: str, key: Any, n: int, titles: Mapping[int, str], silence: Silence, least: int) -> bool:
    return n >= least and (key in titles if kind == "products" else not silence.covers(key))


def _nights(least: int) -> dict[frozenset[str], list[tuple[dt.date, float]]]:
    """Percent of the shoppers in groups, by name and night; the same name on two nights is taken for the same group."""
    found: dict[frozenset[str], list[tuple[dt.date, float]]] = {}
    for fitted_at, n_shoppers, names, sizes in earlier_segmentations():
        for parts, size in zip(names, sizes, strict=True):
            if size >= least:
                found.setdefault(frozenset(parts), []).append((fitted_at.date(), FULL * size / n_shoppers))
    return found


def _habit(usual: tuple[float, float, float, float]) -> Habit:
    away, orders, spent, basket = usual
    return Habit(away, orders, Decimal(round(spent)) / 100, basket)


def _percent(n: int, of: int) -> int:
    return round(FULL * n / of) if of else 0
