"""A shopper's portrait: integer counts by key, drawn event by event in any order, decayed when read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .decay import half_life_weights

DAY = 86_400
INTEREST = {
    "purchase": 10,
    "add_to_cart": 6,
    "add_to_wishlist": 5,
    "rate": 5,
    "review": 5,
    "view_item": 3,
    "select_item": 3,
}
"""Tenths of interest that an event counts, by type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitEvent:
    """One event as a portrait sees it; money in minor units, time in unix seconds."""

    type: str
    occurred_at: int
    category: tuple[str, ...] = ()
    brand: str = ""
    quantity: int = 1
    amount: int = 0
    channel: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Interest:
    """How much a shopper cares for one key: 1 is one purchase today."""

    kind: str
    key: str
    weight: float


@dataclass
class Portrait:
    """Counts that add up the same in any order: ``interests[kind][key][day]``, spending, hours, channels, orders."""

    interests: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    spent: int = 0
    bought: int = 0
    last_seen: int = 0
    first_seen: int = 0
    hours: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    orders: dict[str, int] = field(default_factory=dict)

    def add(self, event: PortraitEvent) -> None:
        """Add one event."""
        self.last_seen = max(self.last_seen, event.occurred_at)
        self.first_seen = min(self.first_seen or event.occurred_at, event.occurred_at)
        self.hours[str(event.occurred_at // 3600 % 24)] += 1
        if event.channel:
            self.channels[event.channel] += 1
        if event.type == "purchase":
            self.spent += event.amount
            self.bought += event.quantity
            if event.order:
                self.orders[event.order] = self.orders.get(event.order, 0) + event.quantity
        elif event.type == "refund":
            self.spent -= event.amount
            self.bought -= event.quantity
        worth = INTEREST.get(event.type, 0)
        if worth:
            day = str(event.occurred_at // DAY)
            keys = [("category", event.category[-1])] if event.category else []
            keys += [("brand", event.brand)] if event.brand else []
            for kind, key in keys:
                days = self.interests.setdefault(kind, {}).setdefault(key, {})
                days[day] = days.get(day, 0) + worth

    def interest(self, now: float, *, half_life: float = 30.0, most: int = 20) -> list[Interest]:
        """The strongest interests as of ``now`` (unix seconds), fading with ``half_life`` days."""
        found = []
        for kind, keys in self.interests.items():
            for key, days in keys.items():
                ages = np.maximum(now / DAY - np.asarray([int(day) for day in days]), 0.0)
                weight = float(half_life_weights(ages, half_life) @ np.asarray(list(days.values()))) / 10
                found.append(Interest(kind, key, weight))
        return sorted(found, key=lambda each: (-each.weight, each.kind, each.key))[:most]

    def segment(self, now: float) -> str:
        """One of new, loyal, regular, lapsing, gone: by how lately and how often they bought."""
        silent = (now - self.last_seen) / DAY
        if len(self.orders) < 2:
            return "new"
        if silent > 90:
            return "gone"
        if silent > 30:
            return "lapsing"
        return "loyal" if len(self.orders) >= 10 else "regular"

    def to_json(self) -> dict[str, Any]:
        """Integers under string keys, sorted: the same events give the same bytes."""
        return {
            "interests": {
                kind: {key: dict(sorted(days.items())) for key, days in sorted(keys.items())}
                for kind, keys in sorted(self.interests.items())
            },
            "spent": self.spent,
            "bought": self.bought,
            "last_seen": self.last_seen,
            "first_seen": self.first_seen,
            "hours": dict(sorted(self.hours.items())),
            "channels": dict(sorted(self.channels.items())),
            "orders": dict(sorted(self.orders.items())),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Portrait:
        return cls(**{**content, "hours": Counter(content["hours"]), "channels": Counter(content["channels"])})


def draw(events: Iterable[PortraitEvent]) -> Portrait:
    """The whole portrait: the same as adding the events one by one, in any order."""
    portrait = Portrait()
    for event in events:
        portrait.add(event)
    return portrait
