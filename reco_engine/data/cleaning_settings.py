"""The rules of cleaning by name: what can be switched off, and what can be set of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from reco_engine.errors import BadInputError

from .bots import Bots
from .cleaning import Rule
from .cleaning_rules import (
    DailyCap,
    ExactDuplicates,
    ImpossibleTimes,
    ImpossibleValues,
    MissingPrices,
    NearDuplicates,
)
from .hammering import Hammering
from .returns import Returns

Given = Mapping[str, Any]
"""By rule: its settings, or True (its usual ones), or False (off). A rule not named has its usual settings."""
EVENT_PRICES = ("keep", "drop")
PRODUCT_PRICES = ("keep", "mean", "prediction")


@dataclass(frozen=True)
class Choice:
    """One rule: how it is made, and the usual value of each of its settings."""

    make: Callable[..., Any]
    usual: Mapping[str, Any] = field(default_factory=dict)


RULES: Mapping[str, Choice] = {
    "impossible_times": Choice(ImpossibleTimes, {"earliest": 631_152_000.0, "ahead": 86_400.0}),
    "exact_duplicates": Choice(ExactDuplicates),
    "near_duplicates": Choice(NearDuplicates, {"seconds": 5.0}),
    "returns": Choice(Returns),
    "impossible_quantities": Choice(
        partial(ImpossibleValues, "quantities"), {"lowest": 0.001, "highest": 10_000.0, "action": "drop"}
    ),
    "impossible_prices": Choice(
        partial(ImpossibleValues, "prices"), {"lowest": 0.0, "highest": 1e7, "action": "blank"}
    ),
    "impossible_ratings": Choice(
        partial(ImpossibleValues, "ratings"), {"lowest": 1.0, "highest": 5.0, "action": "blank"}
    ),
    "event_prices": Choice(MissingPrices, {"missing": "keep"}),
    "daily_cap": Choice(DailyCap, {"weight": 2.0}),
    "bots": Choice(Bots, {"limits": ((60.0, 100), (3_600.0, 1_500), (86_400.0, 8_000))}),
    "hammering": Choice(
        Hammering, {"windows": (1.0, 7.0, 28.0), "life": 7.0, "share": 0.5, "least": 5, "deviations": 6.0}
    ),
    "product_prices": Choice(dict, {"missing": "keep"}),
}
"""In the order in which they are applied; the last three are not about one shopper's events."""

CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "impossible_quantities": {"action": ("blank", "drop")},
    "impossible_prices": {"action": ("blank", "drop")},
    "impossible_ratings": {"action": ("blank", "drop")},
    "event_prices": {"missing": EVENT_PRICES},
    "product_prices": {"missing": PRODUCT_PRICES},
}
"""Settings that are one of a few words."""

OF_ONE_SHOPPER = tuple(name for name in RULES if name not in ("bots", "hammering", "product_prices"))


def settings_of(given: Given, name: str) -> dict[str, Any] | None:
    """The settings of one rule, the usual ones where none are given; None where it is off."""
    mine = given.get(name, True)
    if mine is False:
        return None
    return {**RULES[name].usual, **({} if mine is True else mine)}


def rule_of(given: Given, name: str, **known: Any) -> Any | None:
    """One rule made with its settings and what else it needs to know; None where it is off."""
    settings = settings_of(given, name)
    return None if settings is None else RULES[name].make(**known, **settings)


def shopper_rules(given: Given, *, weights: Mapping[Any, float], types: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules about one shopper's events that are on, in order, but for impossible times, which come before a cut.

    Args:
        weights: By type of event as the batch has it, what the daily cap adds up.
        types: What the batch has for ``purchase`` and ``refund``.
    """
    known: dict[str, dict[str, Any]] = {
        "returns": {"purchases": (types["purchase"],), "refunds": (types["refund"],)},
        "event_prices": {"purchases": (types["purchase"],)},
        "daily_cap": {"weights": weights},
    }
    made = (rule_of(given, name, **known.get(name, {})) for name in OF_ONE_SHOPPER if name != "impossible_times")
    return tuple(rule for rule in made if rule is not None)


def faults(given: Given) -> list[str]:
    """What is wrong with such settings, a sentence each: unknown rules and settings, and values that none can have."""
    return [text for name in given for text in _faults_of(name, given[name])]


def _faults_of(name: str, mine: Any) -> list[str]:
    if name not in RULES:
        return [f"there is no rule {name!r}; known ones: {', '.join(sorted(RULES))}"]
    if isinstance(mine, bool):
        return []
    if not isinstance(mine, Mapping):
        return [f"{name!r} must be True, False or its settings, not {mine!r}"]
    usual, told = RULES[name].usual, []
    for setting, value in mine.items():
        if setting not in usual:
            known = ", ".join(sorted(usual)) or "it has none"
            told.append(f"{name!r} has no setting {setting!r}; known ones: {known}")
        elif (choices := CHOICES.get(name, {}).get(setting)) and value not in choices:
            told.append(f"{setting!r} of {name!r} must be one of {', '.join(choices)}, not {value!r}")
        elif isinstance(usual[setting], int | float) and not _is_number(value):
            told.append(f"{setting!r} of {name!r} must be a number, not {value!r}")
    return told or _refused(name, mine)


def _refused(name: str, mine: Mapping[str, Any]) -> list[str]:
    """What the rule itself says of its settings when it is made."""
    try:
        rule_of({name: mine}, name, **({"weights": {}} if name == "daily_cap" else {}))
    except (BadInputError, TypeError, ValueError) as error:
        return [f"{name!r}: {error}"]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
