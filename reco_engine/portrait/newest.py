"""Bounds on what is kept, such that keeping and adding up may be done in any order.

What one part of a shopper's events pushes out, all of them together push out as well: more events only add
days that are newer. So cutting parts, adding them and cutting the sum gives what cutting the whole gives.
"""

from __future__ import annotations

from typing import TypeVar

Days = dict[int, int]
T = TypeVar("T")


def newest_days(days: Days, most: int) -> tuple[Days, int]:
    """The newest ``most`` days, and the sum of what the older ones count."""
    if len(days) <= most:
        return days, 0
    kept = sorted(days, reverse=True)[:most]
    first = kept[-1]
    return {day: n for day, n in days.items() if day >= first}, sum(n for day, n in days.items() if day < first)


def newest_pairs(days_of: dict[str, dict[int, T]], most: int) -> dict[str, dict[int, T]]:
    """The newest ``most`` pairs of key and day; of one day the keys that come first in the alphabet."""
    if sum(map(len, days_of.values())) <= most:
        return days_of
    keys_of: dict[int, list[str]] = {}
    for key, days in days_of.items():
        for day in days:
            keys_of.setdefault(day, []).append(key)
    kept: dict[str, dict[int, T]] = {}
    for day in sorted(keys_of, reverse=True):
        keys = keys_of[day] if len(keys_of[day]) <= most else sorted(keys_of[day])[:most]
        for key in keys:
            kept.setdefault(key, {})[day] = days_of[key][day]
        most -= len(keys)
        if most <= 0:
            break
    return kept
