"""What one event adds to a portrait: integers under names, in a quarter of an hour and a category.

Quarters of an hour are what all time zones have in common, and categories are what may turn out to be
sensitive later. So events that were folded to the sums of their grains still give the portrait that they
gave themselves, in whatever zone it is drawn and whatever may be told by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .bands import band_of
from .words import words

QUARTER = 900
JOINT = " > "
"""What stands between the levels of a category's path."""

INTEREST = {
    "purchase": 10,
    "add_to_cart": 6,
    "add_to_wishlist": 5,
    "rate": 5,
    "review": 5,
    "search": 4,
    "view_item": 3,
    "select_item": 3,
}
"""Tenths of interest that an event counts, by type. A return takes money and pieces back, and no interest:
what it undoes may be of any day, and to return one thing is no sign of disliking its category."""

Grain = tuple[str, str, int]
"""Kind, key, and how much it counts."""

Counts = dict[int, dict[str, dict[str, int]]]
"""By quarter of an hour since 1970, by category path, by ``kind:key``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitEvent:
    """One event as a portrait sees it.

    Attributes:
        occurred_at: Unix seconds.
        category: Names from the root; empty where there is none, or where none may be told.
        text: A product's title or what was searched for; empty where none may be told.
        amount: What all pieces cost together, in hundredths of ``currency``.
    """

    type: str
    occurred_at: int
    category: tuple[str, ...] = ()
    brand: str = ""
    text: str = ""
    quantity: int = 1
    amount: int = 0
    currency: str = ""
    channel: str = ""
    order: str = ""


@lru_cache(maxsize=50_000)
def words_of(text: str, brand: str) -> tuple[str, ...]:
    """Keywords of a title, less those of its brand, which is an interest of its own."""
    own = set(words(brand))
    return tuple(word for word in words(text) if word not in own)


def grains_of(event: PortraitEvent) -> Iterator[Grain]:
    """Everything that one event adds."""
    kind = event.type
    yield "type", kind, 1
    if event.channel:
        yield "channel", event.channel, 1
    worth = INTEREST.get(kind, 0)
    if worth:
        if event.category:
            yield "category", "", worth
        if event.brand:
            yield "brand", event.brand, worth
        if event.text:
            for word in words_of(event.text, event.brand):
                yield "keyword", word, worth
    if kind == "purchase":
        yield "bought", "", event.quantity
        if event.amount:
            yield "spent", event.currency, event.amount
            if event.category:
                yield "price", f"{event.currency}:{band_of(event.amount // event.quantity)}", event.quantity
        if event.order:
            name = _digest(event.order)
            yield "lines", name, 1
            yield "pieces", name, event.quantity
    elif kind == "refund":
        yield "returned", "", event.quantity
        if event.amount:
            yield "spent", event.currency, -event.amount


def leads_to(event: PortraitEvent, kind: str, key: str, *, moment: str = "", hour: int = -1) -> bool:
    """Whether a portrait counts this event under ``kind`` and ``key``.

    Args:
        kind: ``category`` (with all below it), ``brand``, ``keyword``, ``type``, ``channel``, ``price`` (of a
            category), ``hour`` (of the week) or ``spent`` (of a currency; ``USD:2026-10``: in one month).
        moment: The event's month in the portrait's zone, as ``2026-10``.
        hour: The event's hour of the week in the portrait's zone.
    """
    path = JOINT.join(event.category)
    if kind == "hour":
        return key == str(hour)
    if kind == "spent":
        currency, _, month = key.partition(":")
        counted = event.amount and event.type in ("purchase", "refund") and event.currency == currency
        return bool(counted) and month in ("", moment)
    grains = [(name, each) for name, each, _n in grains_of(event)]
    if kind in ("category", "price"):
        return any(name == kind for name, _ in grains) and f"{path}{JOINT}".startswith(f"{key}{JOINT}")
    return (kind, key) in grains


def quarter_of(event: PortraitEvent) -> int:
    return event.occurred_at // QUARTER


def folded(events: Iterable[PortraitEvent], unsaid: Collection[str] = ()) -> Counts:
    """Events as sums of their grains, from which a portrait is drawn as from the events; keywords of ``unsaid``
    are left out."""
    counts: Counts = {}
    for event in events:
        cell = counts.setdefault(quarter_of(event), {}).setdefault(JOINT.join(event.category), {})
        for kind, key, n in grains_of(event):
            if kind != "keyword" or key not in unsaid:
                name = f"{kind}:{key}"
                cell[name] = cell.get(name, 0) + n
    return counts


def together(*parts: Counts) -> Counts:
    """The sum of what several parts count."""
    total: Counts = {}
    for part in parts:
        for quarter, cells in part.items():
            for category, names in cells.items():
                cell = total.setdefault(quarter, {}).setdefault(category, {})
                for name, n in names.items():
                    cell[name] = cell.get(name, 0) + n
    return total


def counts_to_json(counts: Counts) -> dict[str, Any]:
    """Sorted, so that the same events give the same bytes."""
    return {
        str(quarter): {category: dict(sorted(names.items())) for category, names in sorted(cells.items())}
        for quarter, cells in sorted(counts.items())
    }


def counts_from_json(content: Mapping[str, Any]) -> Counts:
    return {int(quarter): cells for quarter, cells in content.items()}


@lru_cache(maxsize=10_000)
def _digest(order: str) -> str:
    """A short name for an order: enough to tell a shopper's orders apart, and no key to anybody's books."""
    return hashlib.blake2b(order.encode(errors="replace"), digest_size=6).hexdigest()
