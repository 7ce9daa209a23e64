"""Portraits from events: from the whole, from parts, or one at a time, with the same result."""

from __future__ import annotations

from collections.abc import Iterable

from .grains import Counts, PortraitEvent
from .portrait import OPEN, TABLES, Portrait, Silence


def draw(
    events: Iterable[PortraitEvent],
    *,
    zone: str = "UTC",
    folded: Iterable[Counts] = (),
    silence: Silence = OPEN,
) -> Portrait:
    """The portrait of all events and of all that earlier ones were folded to; their order does not matter.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: If nothing is known of ``zone``.
    """
    portrait = Portrait(zone=zone)
    for counts in folded:
        portrait.add_counts(counts, silence)
    for event in events:
        portrait.add(event, silence)
    portrait.cut()
    return portrait


def merged(first: Portrait, *others: Portrait) -> Portrait:
    """The portrait of all events that the given ones were drawn from, each event being in one of them.

    Raises:
        ValueError: If they were drawn in different time zones: their days and hours cannot be added up.
    """
    total = Portrait.from_json(first.to_json())
    for other in others:
        if other.zone != total.zone:
            raise ValueError(f"portraits of {total.zone} and of {other.zone} cannot be added up; draw one anew")
        total.first = min((each for each in (total.first, other.first) if each is not None), default=None)
        total.last = max((each for each in (total.last, other.last) if each is not None), default=None)
        total.returned += other.returned
        for name in TABLES:
            _add(getattr(total, name), getattr(other, name))
    total.cut()
    return total


def _add(total: dict, other: dict) -> None:  # type: ignore[type-arg]  # as deep as the table, integers at the end
    for key, value in other.items():
        if isinstance(value, dict):
            _add(total.setdefault(key, {}), value)
        elif isinstance(value, tuple):
            total[key] = tuple(map(sum, zip(total.get(key, (0, 0)), value, strict=True)))
        else:
            total[key] = total.get(key, 0) + value
