"""What a portrait says at a moment: interests faded to it, habits, money, price bands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from .bands import quantile
from .decay import half_life_weights
from .grains import JOINT, QUARTER
from .portrait import OPEN, Portrait, Silence, levels_of

HALF_LIFE = 30.0
EPOCH = dt.date(1970, 1, 1).toordinal()
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Interest:
    """How much a shopper cares for one key: 1 is one purchase today."""

    kind: str
    key: str
    weight: float


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What pieces of one category cost this shopper, in hundredths: a tenth costs less than ``low``, half less
    than ``typical``, nine tenths less than ``high``."""

    category: str
    currency: str
    low: int
    typical: int
    high: int
    pieces: int


def today(portrait: Portrait, now: float) -> int:
    """The day since 1970 that ``now`` (unix seconds) falls on in the portrait's zone."""
    return dt.datetime.fromtimestamp(now, ZoneInfo(portrait.zone)).toordinal() - EPOCH


def interests(
    portrait: Portrait, now: float, *, half_life: float = HALF_LIFE, most: int = 20, silence: Silence = OPEN
) -> list[Interest]:
    """The strongest ``most`` interests of each kind as of ``now``, strongest first.

    Args:
        now: Unix seconds.
        half_life: Days after which interest has halved, above zero.
        silence: What may not be told, though it was drawn.
    A category one of whose children has all of its interest is left to the child, which says more.
    """
    day, fading, found = today(portrait, now), _Fading(half_life), []
    for kind, keys in portrait.interests.items():
        weights = {
            key: sum(n * fading[max(day - each, 0)] for each, n in days.items()) / 10
            for key, days in keys.items()
            if not silent(silence, kind, key)
        }
        if kind == "category":
            weights = _telling(_with_levels(weights))
        best = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
        found += [Interest(kind, key, weight) for key, weight in best]
    return sorted(found, key=lambda each: (-each.weight, each.kind, each.key))


def silent(silence: Silence, kind: str, key: str) -> bool:
    """Whether nothing may be told of an interest, or of what is paid in a category."""
    if kind in ("category", "price"):
        return silence.covers(key)
    return kind == "keyword" and key in silence.words


def _with_levels(weights: Mapping[str, float]) -> dict[str, float]:
    """Each category on the way to one with a weight, with all that is below it."""
    sums: dict[str, float] = {}
    for path, weight in sorted(weights.items()):
        for level in levels_of(path):
            sums[level] = sums.get(level, 0.0) + weight
    return sums


def _telling(weights: Mapping[str, float]) -> dict[str, float]:
    said = {
        JOINT.join(path.split(JOINT)[:-1])
        for path, weight in weights.items()
        if JOINT in path and weight == weights.get(JOINT.join(path.split(JOINT)[:-1]))
    }
    return {path: weight for path, weight in weights.items() if path not in said}


class _Fading(dict[int, float]):
    """Weights by age in days, each computed once."""

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life

    def __missing__(self, age: int) -> float:
        self[age] = float(half_life_weights(age, self._half_life))  # type: ignore[arg-type]
        return self[age]


def n_events(portrait: Portrait) -> int:
    return sum(portrait.types.values())


def n_orders(portrait: Portrait) -> int:
    """Different orders; of those too old to be kept apart, orders and days."""
    return len(portrait.orders) + portrait.older.get("orders", 0)


def seen(quarter: int | None) -> float | None:
    """When the quarter of an hour of a first or last event began, in unix seconds."""
    return None if quarter is None else float(quarter * QUARTER)


def spent(portrait: Portrait) -> dict[str, int]:
    """All money by currency, in hundredths."""
    return {
        currency: sum(days.values()) + portrait.older.get(f"spent:{currency}", 0)
        for currency, days in sorted(portrait.spent.items())
    }


def spent_by_month(portrait: Portrait, now: float, currency: str) -> list[tuple[dt.date, int]]:
    """The last MONTHS months, the current one last: the first day of each, and hundredths of ``currency``."""
    month = dt.date.fromordinal(today(portrait, now) + EPOCH).replace(day=1)
    months = [month]
    while len(months) < MONTHS:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    sums = dict.fromkeys(reversed(months), 0)
    for day, n in portrait.spent.get(currency, {}).items():
        first = dt.date.fromordinal(day + EPOCH).replace(day=1)
        if first in sums:
            sums[first] += n
    return list(sums.items())


def basket(portrait: Portrait) -> float | None:
    """Pieces of a typical order: the median of those kept apart; None without orders."""
    sizes = [sum(pieces for _lines, pieces in days.values()) for days in portrait.orders.values()]
    return float(median(sizes)) if sizes else None


def interval(portrait: Portrait) -> float | None:
    """Days between one day with an order and the next, typically: the median; None with fewer than two."""
    days = sorted({day for each in portrait.orders.values() for day in each})
    return float(median(later - earlier for earlier, later in pairwise(days))) if len(days) > 1 else None


def price_bands(portrait: Portrait, *, most: int = 8, silence: Silence = OPEN) -> list[PriceBand]:
    """The categories most pieces were bought of, most first."""
    found = []
    for currency, categories in portrait.prices.items():
        for category, bands in categories.items():
            pieces = sum(bands.values())
            low, typical, high = (quantile(bands, share) for share in (0.1, 0.5, 0.9))
            if low is not None and typical is not None and high is not None and not silence.covers(category):
                found.append(PriceBand(category, currency, low, typical, high, pieces))
    return sorted(found, key=lambda each: (-each.pieces, each.category, each.currency))[:most]


def by_rule(portrait: Portrait, now: float) -> str:
    """One of new, loyal, regular, lapsing, gone: by how lately and how often they bought."""
    silent = (now - (seen(portrait.last) or now)) / 86_400
    if n_orders(portrait) < 2:
        return "new"
    if silent > 90:
        return "gone"
    if silent > 30:
        return "lapsing"
    return "loyal" if n_orders(portrait) >= 10 else "regular"


def strongest_categories(portrait: Portrait, most: int = 5) -> list[str]:
    """The deepest categories that most interest goes to; all fade alike, so this holds at any time."""
    keys = portrait.interests.get("category", {})
    inner = {level for path in keys for level in levels_of(path)[:-1]}
    newest = max((day for days in keys.values() for day in days), default=0)
    fading = _Fading(HALF_LIFE)
    weights = {path: sum(n * fading[newest - day] for day, n in keys[path].items()) for path in keys.keys() - inner}
    return sorted(weights, key=lambda path: (-weights[path], path))[:most]
