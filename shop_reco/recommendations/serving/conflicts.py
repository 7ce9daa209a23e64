"""Where rules of the shop get in each other's way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from ..models import Rule
from ..selectors import active_rules
from .memory import memory
from .rules import targets
from .shelf import Mask, Shelf
from .supposing import numbered


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another rule that says something else of the same products at the same time.

    Attributes:
        kind: "rank" (both pin to it), "twice" (one product is pinned to two ranks), "hidden" (one hides what the other
            wants seen), "against" (one raises what the other buries) or "adds" (their points add up).
        n_products: Of how many products both speak.
    """

    rule: Rule
    kind: str
    n_products: int


def conflicts_of(rule: Rule) -> list[Conflict]:
    """With the rules that are or will be in force; two queries, and one for each category that is named."""
    shelf = memory.view().shelf
    mine = targets(numbered(rule), shelf)
    return [found for other in active_rules() if other.pk != rule.pk for found in _between(rule, mine, other, shelf)]


def _between(rule: Rule, mine: Mask, other: Rule, shelf: Shelf) -> Iterator[Conflict]:
    if not _meet(rule, other):
        return
    pins = (rule.action == Rule.Action.PIN, other.action == Rule.Action.PIN)
    n = int((mine & targets(other, shelf)).sum())
    if all(pins) and rule.rank == other.rank:
        yield Conflict(other, "rank", n)
    elif n == 0:
        return
    elif all(pins):
        yield Conflict(other, "twice", n)
    elif Rule.Action.HIDE in (rule.action, other.action):
        if rule.action != other.action and _wants_seen(rule) != _wants_seen(other):
            yield Conflict(other, "hidden", n)
    elif not any(pins) and rule.points * other.points:
        yield Conflict(other, "adds" if rule.points * other.points > 0 else "against", n)


def _wants_seen(rule: Rule) -> bool:
    return rule.action == Rule.Action.PIN or (rule.action == Rule.Action.BOOST and rule.points > 0)


def _meet(rule: Rule, other: Rule) -> bool:
    """Whether both count in one placement at one moment."""
    if None not in (rule.placement_id, other.placement_id) and rule.placement_id != other.placement_id:
        return False
    early, late = dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
    start = max(rule.starts_at or early, other.starts_at or early)
    return start < min(rule.ends_at or late, other.ends_at or late)
