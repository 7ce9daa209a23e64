"""The door between events and the engine's portrait."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.portrait import reading, segments
from reco_engine.portrait.grains import (
    JOINT,
    QUARTER,
    PortraitEvent,
    counts_from_json,
    counts_to_json,
    folded,
    leads_to,
    together,
    words_of,
)
from reco_engine.portrait.portrait import FORMAT, Portrait, Silence, day_and_hour, levels_of
from reco_engine.portrait.reading import Interest, PriceBand
from reco_engine.portrait.segments import Segmentation
from reco_engine.portrait.typical import typical
from reco_engine.portrait.words import words
from shop_reco.conf import reco_settings

from .selectors import EventRow

__all__ = [
    "JOINT",
    "Interest",
    "People",
    "Portrait",
    "PortraitEvent",
    "PriceBand",
    "Silence",
    "counted_in",
    "event_of",
    "folded_days",
    "found_groups",
    "group_named",
    "habits_of",
    "has_word",
    "is_behind",
    "levels_of",
    "portrait_read",
    "portraits_drawn",
    "reading",
    "silence_of",
    "typical_of",
]
TYPICAL = 8
"""Products, and categories, that are told of a group at most."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A portrait ready to store; both are JSON of integers, and of names."""

    counts: dict[str, Any]
    summary: dict[str, Any]
    n_events: int


def silence_of(paths: Collection[str]) -> Silence:
    """What may not be told where these categories are sensitive: they, all below them, and the words of their names."""
    return Silence(frozenset(paths), frozenset(word for path in paths for word in words(path.rpartition(JOINT)[2])))


def portraits_drawn(
    rows: Iterable[EventRow],
    *,
    days: Iterable[tuple[int, Mapping[str, Any]]],
    zones: Mapping[int, str],
    counting: Mapping[int, Collection[int]],
    silence: Silence,
) -> dict[int, Drawn]:
    """The counts of these events and folded days, in no order, for each portrait.

    Args:
        days: What each counts, with whose it is.
        zones: The time zone of each portrait.
        counting: The portraits that count what a shopper did.
    """
    portraits = {pk: Portrait(zone=zone) for pk, zone in zones.items()}
    for shopper_id, counts in days:
        folded_counts = counts_from_json(counts)
        for pk in counting[shopper_id]:
            portraits[pk].add_counts(folded_counts, silence)
    for row in rows:
        event = event_of(row, silence)
        for pk in counting[row.shopper_id]:
            portraits[pk].add(event, silence)
    return {pk: _drawn(portrait) for pk, portrait in portraits.items()}


def _drawn(portrait: Portrait) -> Drawn:
    portrait.cut()
    pieces = sum(each for days in portrait.orders.values() for _lines, each in days.values())
    summary = {
        "last": max(portrait.bought, default=None),
        "orders": reading.n_orders(portrait),
        "pieces": pieces + portrait.older.get("pieces", 0),
        "spent": reading.spent(portrait).get(reco_settings().CURRENCY, 0),
        "top": reading.strongest_categories(portrait),
    }
    return Drawn(portrait.to_json(), summary, reading.n_events(portrait))


def portrait_read(counts: Mapping[str, Any]) -> Portrait | None:
    """The stored portrait; None where it is of an earlier format and waits to be drawn anew."""
    return Portrait.from_json(counts) if counts.get("format") == FORMAT else None


def event_of(row: EventRow, silence: Silence) -> PortraitEvent:
    """One event as the engine takes it; of a sensitive category nothing is told."""
    told = not any(path and silence.covers(path) for path in (row.category, row.own_category))
    return PortraitEvent(
        type=row.type,
        # SQLite counts in days, and is off by less than a ten thousandth of a second
        occurred_at=int(row.second + 0.001),
        category=tuple(row.category.split(JOINT)) if row.category and told else (),
        brand=row.brand or "" if told else "",
        text=(row.title or row.query) if told else "",
        quantity=row.quantity,
        amount=_hundredths(row.price) * row.quantity,
        currency=row.currency or reco_settings().CURRENCY,
        channel=row.channel,
        order=row.order,
    )


def _hundredths(price: float | None) -> int:
    """0 where there is none, and where the database holds what is no number, which is no reason for no portrait."""
    return int(round(price * 100, 3)) if price is not None and math.isfinite(price) else 0  # 1.15 is 115, not 114


def folded_days(
    rows: Iterable[EventRow], *, earlier: Mapping[dt.date, Mapping[str, Any]], silence: Silence
) -> dict[dt.date, dict[str, Any]]:
    """What these events count by day (UTC), added to what the same days counted ``earlier``."""
    events: dict[dt.date, list[PortraitEvent]] = {}
    for row in rows:
        event = event_of(row, silence)
        events.setdefault(dt.datetime.fromtimestamp(event.occurred_at, dt.UTC).date(), []).append(event)
    return {
        day: counts_to_json(together(counts_from_json(earlier.get(day, {})), folded(these, silence.words)))
        for day, these in events.items()
    }


def is_behind(event: PortraitEvent, *, kind: str, key: str, zone: str) -> bool:
    """Whether a portrait drawn in ``zone`` counts the event under ``kind`` and ``key``."""
    day, hour = day_and_hour(event.occurred_at // QUARTER, zone)
    month = f"{dt.date.fromordinal(day + reading.EPOCH):%Y-%m}"
    return leads_to(event, kind, key, moment=month, hour=hour)


def counted_in(counts: Mapping[str, Any], *, kind: str, key: str) -> bool:
    """Whether a folded day has anything of an interest."""
    for cells in counts.values():
        for path, names in cells.items():
            if kind == "category":
                if f"{path}{JOINT}".startswith(f"{key}{JOINT}") and "category:" in names:
                    return True
            elif f"{kind}:{key}" in names:
                return True
    return False


def has_word(title: str, brand: str, word: str) -> bool:
    """Whether ``word`` is among the keywords of a product."""
    return word in words_of(title, brand)


@dataclass(frozen=True, slots=True)
class People:
    """Who is in which group: shoppers by primary key, rising, and the group of each, both of shape (n_shoppers,).

    ``n_all`` counts those as well who are in none.
    """

    shoppers: Ints
    groups: Ints
    n_all: int

    def groups_of(self, shoppers: Ints) -> Ints:
        """The group of each, -1 for those of none, in their shape."""
        if not len(self.shoppers):
            return np.full(shoppers.shape, -1, np.int64)
        places = np.minimum(np.searchsorted(self.shoppers, shoppers), len(self.shoppers) - 1)
        return np.where(self.shoppers[places] == shoppers, self.groups[places], -1)


def found_groups(
    summaries: Iterable[tuple[int, Mapping[str, Any]]], *, today: dt.date, least: int, min_size: int
) -> tuple[int, dict[str, Any] | None, People]:
    """Groups among shoppers with two orders or more: how many such shoppers there are, what was found, and who is
    where.

    The groups are None with fewer than ``least`` shoppers, or where none can be told apart. Of each group the
    categories are named that ``min_size`` of its shoppers or more have among their strongest.

    Args:
        summaries: Primary keys of shoppers, rising, with the summaries of their portraits.
    """
    day = today.toordinal() - reading.EPOCH
    rows: list[tuple[int, int, int, int]] = []
    tops: list[list[str]] = []
    shoppers, n_all = list[int](), 0
    for shopper_id, each in summaries:
        n_all += 1
        if each.get("orders", 0) >= 2 and each.get("last") is not None:
            shoppers.append(shopper_id)
            rows.append((max(day - each["last"], 0), each["orders"], each["spent"], each["pieces"]))
            tops.append(each["top"])
    nobody = People(np.zeros(0, np.int64), np.zeros(0, np.int64), n_all)
    if len(rows) < least:
        return len(rows), None, nobody
    habits = _habits(rows)
    found = segments.found_segments(habits, min_size=min_size)
    if found is None:
        return len(rows), None, nobody
    groups = found.groups(habits)
    tastes: list[dict[str, int]] = [{} for _ in found.sizes]
    for group, top in zip(groups, tops, strict=True):
        for path in top:
            tastes[group][path] = tastes[group].get(path, 0) + 1
    shared = [
        [[path, n] for path, n in sorted(taste.items(), key=lambda pair: (-pair[1], pair[0]))[:5] if n >= min_size]
        for taste in tastes
    ]
    people = People(np.asarray(shoppers, np.int64), groups, n_all)
    return len(rows), found.to_json() | {"tastes": shared, "shoppers": n_all}, people


def typical_of(
    pairs: Iterable[tuple[int, int]],
    products: Iterable[tuple[int, int, str | None, str | None]],
    *,
    people: People,
    accounts: Mapping[int, int],
    silence: Silence,
    least: int,
) -> list[dict[str, Any]]:
    """What each group took to more than the shop did: ``products`` and ``categories``, as key, shoppers and lift.

    Args:
        pairs: Shoppers and products that they did something with.
        products: Primary keys, those of the product that a list shows, and the paths of their categories: that one's
            and their own. What is of no such product, or of a sensitive category, counts nowhere.
        accounts: Who visitors turned out to be.
        least: Shoppers of a group that must stand behind a thing.
    """
    items, told = dict[int, int](), dict[int, str]()
    for pk, item, path, own in products:
        if not any(each and silence.covers(each) for each in (path, own)):
            items[pk] = item
            told.setdefault(item, path or "")
    taken = ((accounts.get(who, who), items[what]) for who, what in pairs if what in items)
    kept: Ints = np.fromiter(chain.from_iterable(taken), np.int64).reshape(-1, 2)
    paths = {path: place for place, path in enumerate(sorted(set(told.values()) - {""}))}
    places = np.asarray([paths.get(told[item], -1) for item in kept[:, 1].tolist()], np.int64)
    in_one: Ints = np.column_stack((kept[:, 0], places))[places >= 0]
    goods, kinds = _typical(kept, people, least), _typical(in_one, people, least)
    names = list(paths)
    return [
        {
            "products": [[key, n, lift] for key, n, lift in of_group],
            "categories": [[names[key], n, lift] for key, n, lift in in_group],
        }
        for of_group, in_group in zip(goods, kinds, strict=True)
    ]


def _typical(pairs: Ints, people: People, least: int) -> list[list[tuple[int, int, float]]]:
    """Key, shoppers and lift of what each group took to; ``pairs`` are shoppers and keys, shape (n_pairs, 2)."""
    once = np.unique(pairs, axis=0)
    keys, things = np.unique(once[:, 1], return_inverse=True)
    n_groups = int(people.groups.max(initial=-1)) + 1
    groups = people.groups_of(once[:, 0])
    found = typical(groups, things.reshape(-1).astype(np.int64), n_groups=n_groups, least=least, most=TYPICAL)
    return [[(int(keys[each.thing]), each.n, each.lift) for each in of_group] for of_group in found]


def group_named(content: Mapping[str, Any], portrait: Portrait, *, now: float) -> tuple[str, ...]:
    """Parts of the name of the group that a shopper with two orders or more is nearest to."""
    away = reading.today(portrait, now) - max(portrait.bought, default=0)
    pieces = sum(each for days in portrait.orders.values() for _lines, each in days.values())
    money = reading.spent(portrait).get(reco_settings().CURRENCY, 0)
    row = (away, reading.n_orders(portrait), money, pieces + portrait.older.get("pieces", 0))
    found = _read(content)
    return found.names[int(found.groups(_habits([row]))[0])]


def habits_of(content: Mapping[str, Any]) -> list[tuple[float, float, float, float]]:
    """What is usual in each group: days since the last purchase, orders, hundredths spent, pieces an order."""
    found = _read(content)
    logarithms = np.asarray(found.middle) + np.asarray(found.centres) * np.asarray(found.spread)
    away, orders, spent, pieces = np.maximum(np.expm1(logarithms), 0.0).T.tolist()
    return list(zip(away, orders, spent, pieces, strict=True))


def _read(content: Mapping[str, Any]) -> Segmentation:
    return Segmentation.from_json({name: content[name] for name in Segmentation.__dataclass_fields__})


def _habits(rows: Sequence[tuple[int, int, int, int]]) -> segments.Habits:
    away, orders, spent, pieces = np.asarray(rows, np.int64).T
    return segments.Habits(away=away, orders=orders, spent=spent, pieces=pieces)
