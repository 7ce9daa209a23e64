"""What happened day by day, what lists led to, and what personal lists do: read from counts; no event is looked at.

Rates are per list served and have an interval over shoppers. What fewer than FEWEST shoppers stand behind is not told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import Max
from django.utils import timezone

from reco_engine.data.ratios import Estimate, difference, ratio
from shop_reco.conf import reco_settings

from .attribution import GROUPS, WHOLE
from .models import AnswerCount, Arm, CountedDay, ListCount, Placement, Slate

FEWEST = 5
"""Shoppers below whom nothing is told of them."""
SURE = 0.999
"""Level of the interval that a fall must lie beyond: each day of some weeks is tried as its beginning."""
LEAST_FALL, LATELY = 0.1, 2
"""Share that is lost at least, and the last days that must show it still."""
CLICKS = 2
"""Their column among what is counted of a group."""
Name = TypeVar("Name")


@dataclass(frozen=True, slots=True)
class Rate:
    """Per list served; ``low`` and ``high`` are the 95% interval over shoppers, None where too little is known."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, estimate: Estimate) -> Rate:
        low, high = estimate.interval() or (None, None)
        return cls(estimate.value, low, high)


@dataclass
class Sum:
    """Counts over some rows: lists, lists seen, clicks and purchases of each random group, shape (GROUPS, 4)."""

    groups: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((GROUPS, 4)))
    most: int = 0  # shoppers of one row

    def add(self, row: AnswerCount) -> None:
        self.most = max(self.most, row.shoppers)
        self.groups[[int(name) for name in row.groups]] += np.array([*row.groups.values()])

    def include(self, other: Sum) -> None:
        self.most = max(self.most, other.most)
        self.groups += other.groups

    @property
    def shoppers(self) -> int:
        """How many there are at least: groups have nobody in common, and days may."""
        return max(self.most, int(np.count_nonzero(self.groups.any(axis=1))))

    def totals(self) -> list[float]:
        return [float(total) for total in self.groups.sum(axis=0)]

    def estimate(self, column: int) -> Estimate:
        """Clicks (2) or purchases (3) per list."""
        return ratio(self.groups[:, column], self.groups[:, 0])


@dataclass(frozen=True, slots=True)
class Led:
    """What the lists of a placement, or of a recommender, led to; a recommender has its shares of lists."""

    name: str
    lists: float
    seen: float
    clicks: float
    purchases: float
    click_rate: Rate
    purchase_rate: Rate

    @classmethod
    def of(cls, name: str, found: Sum) -> Led:
        lists, seen, clicks, purchases = found.totals()
        return cls(name, lists, seen, clicks, purchases, Rate.of(found.estimate(2)), Rate.of(found.estimate(3)))


@dataclass(frozen=True, slots=True)
class Effect:
    """Personal lists of one placement beside those of the control share, and by how much more they lead to."""

    placement: str
    personal: Led
    control: Led
    clicks: Rate
    purchases: Rate


@dataclass(frozen=True, slots=True)
class Trend:
    """Clicks and purchases per list of one placement and arm, day by day; None where too few shoppers had a list."""

    placement: str
    arm: str
    clicks: list[tuple[dt.date, Rate | None]]
    purchases: list[tuple[dt.date, Rate | None]]


@dataclass(frozen=True, slots=True)
class Fall:
    """Personal lists of a placement lead to fewer clicks since a day than in the days before it.

    Attributes:
        before, after: Clicks per list.
        control: The same of the control share; None where too few shoppers stand behind either.
        lists_alone: Whether the personal lists lost more than the control share did, beyond chance; None where too
            little is known to say.
    """

    placement: str
    since: dt.date
    before: Rate
    after: Rate
    control: tuple[Rate, Rate] | None
    lists_alone: bool | None


@dataclass(frozen=True, slots=True)
class AnswersView:
    """All of it, over ``days`` days.

    Attributes:
        trends: Of placements with personal lists, these before those of the control share, where there are enough.
        falls: Of placements with personal lists, those that fell and are down still.
        untold: Placements with a control share, but with too few shoppers in an arm to tell anything.
        compared: Whether any list of a control share was counted.
    """

    days: int
    counted_at: dt.datetime | None
    placements: list[Led]
    recommenders: list[Led]
    effects: list[Effect]
    trends: list[Trend]
    falls: list[Fall]
    untold: list[str]
    compared: bool


def answers_view() -> AnswersView:
    """What lists of the last ANSWER_DAYS days led to; two queries."""
    days = reco_settings().ANSWER_DAYS
    first = timezone.now().date() - dt.timedelta(days=days - 1)
    rows = list(AnswerCount.objects.filter(day__gte=first).order_by("day", "pk"))
    whole = [row for row in rows if row.recommender == WHOLE]
    compared = _sums((row for row in whole if row.arm != Arm.OTHER), lambda row: (row.placement, row.arm))
    placements = sorted({placement for placement, arm in compared if arm == Arm.CONTROL})
    effects = [effect for each in placements if (effect := _effect(each, compared)) is not None]
    told = {effect.placement for effect in effects}
    spots = sorted({placement for placement, _arm in compared})
    dates = [first + dt.timedelta(days=k) for k in range(days)]
    by_day = _sums(whole, lambda row: (row.placement, row.arm, row.day))
    return AnswersView(
        days=days,
        counted_at=CountedDay.objects.aggregate(last=Max("counted_at"))["last"],
        placements=_led(_sums(whole, lambda row: row.placement)),
        recommenders=_led(_sums((row for row in rows if row.recommender), lambda row: row.recommender)),
        effects=effects,
        trends=_trends(by_day, spots, dates),
        falls=[fall for each in spots if (fall := _fall(each, by_day, dates)) is not None],
        untold=[each for each in placements if each not in told],
        compared=bool(placements),
    )


ByDay = dict[tuple[str, str, dt.date], Sum]
"""Sums of a placement, an arm and a day."""


def _sums(rows: Iterable[AnswerCount], name_of: Callable[[AnswerCount], Name]) -> dict[Name, Sum]:
    sums: dict[Name, Sum] = {}
    for row in rows:
        sums.setdefault(name_of(row), Sum()).add(row)
    return sums


def _led(sums: dict[str, Sum]) -> list[Led]:
    """The most lists first; none of whom too few shoppers stand behind."""
    led = [Led.of(name, found) for name, found in sums.items() if found.shoppers >= FEWEST and found.totals()[0] > 0]
    return sorted(led, key=lambda each: (-each.lists, each.name))


def _effect(placement: str, sums: dict[tuple[str, str], Sum]) -> Effect | None:
    personal, control = sums.get((placement, Arm.PERSONAL)), sums.get((placement, Arm.CONTROL))
    if personal is None or control is None or min(personal.shoppers, control.shoppers) < FEWEST:
        return None
    clicks, purchases = (Rate.of(difference(personal.estimate(k), control.estimate(k))) for k in (2, 3))
    return Effect(placement, Led.of(placement, personal), Led.of(placement, control), clicks, purchases)


def _trends(sums: ByDay, placements: Iterable[str], days: list[dt.date]) -> list[Trend]:
    found = []
    for placement in placements:
        for arm in (Arm.PERSONAL, Arm.CONTROL):
            told = [(day, sums.get((placement, arm, day))) for day in days]
            clicks, purchases = ([(day, _rate(one, k)) for day, one in told] for k in (2, 3))
            if all(rate is None for _day, rate in clicks):
                continue
            found.append(Trend(placement, arm, clicks, purchases))
    return found


def _fall(placement: str, sums: ByDay, days: list[dt.date]) -> Fall | None:
    """The day since which the fall is plainest; None where none is beyond chance.

    Both sides are mostly the same shoppers, taken for different ones: who clicks much does so on both, so that the
    interval is rather too wide.
    """

    def over(arm: str, some: Iterable[dt.date]) -> Sum:
        whole = Sum()
        for day in some:
            if (found := sums.get((placement, arm, day))) is not None:
                whole.include(found)
        return whole

    best, plainest = None, 0.0
    for k in range(1, len(days)):
        before, after = over(Arm.PERSONAL, days[:k]), over(Arm.PERSONAL, days[k:])
        if min(before.shoppers, after.shoppers) < FEWEST:
            continue
        lost = difference(after.estimate(CLICKS), before.estimate(CLICKS))
        reach = lost.interval(SURE)
        if reach is None or reach[1] >= 0 or -lost.value < LEAST_FALL * before.estimate(CLICKS).value:
            continue
        plainness = lost.value**2 / lost.variance if lost.variance > 0 else np.inf
        if plainness > plainest:
            best, plainest = k, plainness
    if best is None:
        return None
    before, after = over(Arm.PERSONAL, days[:best]), over(Arm.PERSONAL, days[best:])
    lately = over(Arm.PERSONAL, days[max(best, len(days) - LATELY) :])
    level = before.estimate(CLICKS).value
    if lately.totals()[0] and lately.estimate(CLICKS).value > (1 - LEAST_FALL) * level:
        return None
    then, now = over(Arm.CONTROL, days[:best]), over(Arm.CONTROL, days[best:])
    compared = min(then.shoppers, now.shoppers) >= FEWEST
    more = difference(
        difference(after.estimate(CLICKS), before.estimate(CLICKS)),
        difference(now.estimate(CLICKS), then.estimate(CLICKS)),
    ).interval()
    return Fall(
        placement=placement,
        since=days[best],
        before=Rate.of(before.estimate(CLICKS)),
        after=Rate.of(after.estimate(CLICKS)),
        control=(Rate.of(then.estimate(CLICKS)), Rate.of(now.estimate(CLICKS))) if compared else None,
        lists_alone=more[1] < 0 if compared and more is not None else None,
    )


def _rate(found: Sum | None, column: int) -> Rate | None:
    return Rate.of(found.estimate(column)) if found is not None and found.shoppers >= FEWEST else None


@dataclass(frozen=True, slots=True)
class Day:
    """What was counted of one day (UTC); None where it was not, or where fewer than FEWEST shoppers stand behind it.

    Attributes:
        lists: Of all placements, by rung.
        personal: Of placements whose lists are meant to be personal, by rung.
        covered: The share of the catalogue that lists of the last seven days showed, from 0 to 1.
    """

    day: dt.date
    events: int | None
    lists: dict[str, int]
    personal: dict[str, int]
    covered: float | None

    @property
    def n_lists(self) -> int:
        return sum(self.lists.values())

    @property
    def personal_share(self) -> float | None:
        """How many of the lists that are meant to be personal were."""
        whole = sum(self.personal.values())
        return self.personal.get(Slate.Rung.PERSONAL, 0) / whole if whole else None


@dataclass(frozen=True, slots=True)
class DaysView:
    """The last days, the latest last, and how the lists of all of them came about by placement and rung.

    Attributes:
        catalogue, shown: Products that may be shown, and those that were in the last seven days, at the last count.
    """

    days: list[Day]
    placements: dict[str, dict[str, int]]
    catalogue: int | None
    shown: int | None
    counted_at: dt.datetime | None

    @property
    def today(self) -> Day:
        return self.days[-1]


def days_view(*, days: int) -> DaysView:
    """What was counted of the last days; three queries on a few hundred rows, whatever the size of the shop."""
    last = timezone.now().date()
    first = last - dt.timedelta(days=days - 1)
    counted = {each.day: each for each in CountedDay.objects.filter(day__gte=first)}
    meant = set(Placement.objects.filter(strategy=Placement.Strategy.PERSONAL).values_list("key", flat=True))
    lists = list(ListCount.objects.filter(day__gte=first))
    by_day = _told(lists, lambda each: (each.day, each.rung))
    personal = _told((each for each in lists if each.placement in meant), lambda each: (each.day, each.rung))
    placements: dict[str, dict[str, int]] = {}
    for (placement, rung), n in _told(lists, lambda each: (each.placement, each.rung)).items():
        placements.setdefault(placement, {})[rung] = n
    found = []
    for day in (first + dt.timedelta(days=k) for k in range(days)):
        row = counted.get(day)
        found.append(
            Day(
                day=day,
                events=row.events if row is not None and row.shoppers >= FEWEST else None,
                lists={rung: n for (each, rung), n in by_day.items() if each == day},
                personal={rung: n for (each, rung), n in personal.items() if each == day},
                covered=row.shown / row.catalogue
                if row is not None and row.catalogue and row.shown is not None
                else None,
            )
        )
    latest = max(
        (each for each in counted.values() if each.catalogue is not None), key=lambda each: each.day, default=None
    )
    return DaysView(
        days=found,
        placements=placements,
        catalogue=latest.catalogue if latest else None,
        shown=latest.shown if latest else None,
        counted_at=max((each.counted_at for each in counted.values() if each.counted_at), default=None),
    )


def _told(rows: Iterable[ListCount], name_of: Callable[[ListCount], Name]) -> dict[Name, int]:
    """Lists by name; none where fewer than FEWEST shoppers are known behind them, unless nobody is."""
    lists: dict[Name, int] = {}
    shoppers: dict[Name, int] = {}
    for row in rows:
        name = name_of(row)
        lists[name] = lists.get(name, 0) + row.lists
        shoppers[name] = max(shoppers.get(name, 0), row.shoppers)
    return {name: n for name, n in lists.items() if shoppers[name] == 0 or shoppers[name] >= FEWEST}
