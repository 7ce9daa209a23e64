"""Counting what shoppers did and what lists led to, a day at a time, and taking those who leave out of the counts.

A day is counted from its lists and events, never from its last count: counted twice, it is the same. Today is
counted at each call, yesterday once an hour, an older day once a day until its last purchase can have come, and once
more after an import.

Events are counted here and not where they are stored: each writer would queue on the day's row. They are kept by
shopper, as answers are, so that whoever leaves is out of the sum at once, by just what they were in it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.models import DataImport, Event
from shop_reco.events.selectors import answers_of, flags_in_force
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import account_links, all_consenting, consenting

from ..attribution import GROUPS, Answers, Counts, ServedList
from ..models import AnswerCount, Arm, CountedDay, Placement, ShopperAnswers, Slate
from .shown import FEW, count_lists, cover, trim_lists

PEOPLE, LISTS, MANY, CHUNK = 300, 2000, 2000, 500
"""Shoppers whose lists one query reads, lists from which on one shopper more is one too many, shoppers of whom only
events are counted, and rows written or looked up at once."""
MOST = 1000
"""Lists of one day beyond which whoever asked for them is no person."""
DAY = dt.timedelta(days=1)
FIELDS = ("lists", "impressions", "clicks", "purchases")


def roll_up_answers(*, now: dt.datetime | None = None) -> int:
    """Count the days whose answers may have changed, the newest first; returns how many."""
    now = now or timezone.now()
    strays = _strays().order_by("shopper_id").values_list("shopper_id", flat=True).distinct()
    while some := list(strays[:CHUNK]):
        forget_answers(shopper_ids=some)
    days = _due(now)
    for day in days:
        count_day(day=day, now=now)
        count_lists(day=day, now=now)
    cover(now=now)
    _trim(_first(now))
    trim_lists(first=_first(now), now=now)
    return len(days)


def _first(now: dt.datetime) -> dt.date:
    """The oldest day that is kept, and none of whose lists was trimmed."""
    reco = reco_settings()
    return max((now - reco.ANSWER_DAYS * DAY).date(), (now - reco.SLATE_DAYS * DAY).date()) + DAY


def _due(now: dt.datetime) -> list[dt.date]:
    counted = dict(CountedDay.objects.values_list("day", "counted_at"))
    days = [now.date() - k * DAY for k in range((now.date() - _first(now)).days + 1)]
    imported = DataImport.objects.aggregate(last=Max("finished_at"))["last"]
    return [day for day in days if day == now.date() or _is_due(day, counted.get(day), now, imported)]


def _is_due(day: dt.date, counted_at: dt.datetime | None, now: dt.datetime, imported: dt.datetime | None) -> bool:
    if counted_at is None or (imported is not None and counted_at < imported):
        return True
    last = _start(day) + DAY + (2 * reco_settings().CREDIT_DAYS + 1) * DAY  # one more for what arrives late
    rest = dt.timedelta(hours=1) if now.date() - day == DAY else DAY
    return counted_at < min(last, now - rest)


def _start(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)


def count_day(*, day: dt.date, now: dt.datetime) -> None:
    """Count one day's events, and answers to its lists, anew; shopper by shopper, then the sums in one transaction."""
    CountedDay.objects.update_or_create(day=day, defaults={"counted_at": None})
    links = account_links()
    visitors = defaultdict(list)
    for visitor, account in links.items():
        visitors[account].append(visitor)
    asked, events = _people(day, links), _events(day, links)
    for some in _by_lists(asked):
        members = {each: person for person in some for each in (person, *visitors[person])}
        _keep(day, _counted(day, members), events)
    for some in _parts(sorted(events.keys() - asked.keys()), MANY):
        _keep(day, {person: {} for person in some}, events)
    kept = set(ShopperAnswers.objects.filter(day=day).values_list("shopper_id", flat=True))
    gone = sorted(kept - asked.keys() - events.keys())
    for start in range(0, len(gone), CHUNK):
        ShopperAnswers.objects.filter(day=day, shopper__in=gone[start : start + CHUNK]).delete()
    _sum(day, now)


def _parts(people: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (people[start : start + size] for start in range(0, len(people), size))


def _by_lists(asked: Mapping[int, int]) -> Iterator[Sequence[int]]:
    """People by as many as have so many lists together: while a query goes on, SQLite's log of writes grows."""
    some: list[int] = []
    held = 0
    for person in sorted(asked):
        some.append(person)
        held += asked[person]
        if len(some) == PEOPLE or held >= LISTS:
            yield some
            some, held = [], 0
    if some:
        yield some


def _lists(day: dt.date) -> QuerySet[Slate]:
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS)
    start = _start(day)
    return Slate.objects.filter(served_at__gte=start, served_at__lt=start + DAY, shopper__in=allowed).order_by()


def _people(day: dt.date, links: Mapping[int, int]) -> Counter[int]:
    """How many lists of whom count: accounts for their visitors; whom a rule about bots flagged, or who asks as one,
    does not."""
    asked, flagged = _lists(day).values_list("shopper_id").annotate(n=Count("pk")), _flagged(links)
    lists: Counter[int] = Counter()
    for pk, n in asked.iterator():
        if pk is not None and n <= MOST and links.get(pk, pk) not in flagged:
            lists[links.get(pk, pk)] += n
    return lists


def _events(day: dt.date, links: Mapping[int, int]) -> Counter[int]:
    """How many events of whom happened on a day, accounts for their visitors; one query along the index of times."""
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS)
    start, flagged = _start(day), _flagged(links)
    happened = Event.objects.filter(occurred_at__gte=start, occurred_at__lt=start + DAY, shopper__in=allowed)
    counted: Counter[int] = Counter()
    for pk, n in happened.order_by().values_list("shopper_id").annotate(n=Count("pk")).iterator():
        counted[links.get(pk, pk)] += n
    return Counter({person: n for person, n in counted.items() if person not in flagged})


def _flagged(links: Mapping[int, int]) -> set[int]:
    return {links.get(pk, pk) for pk in flags_in_force()}


def _counted(day: dt.date, members: Mapping[int, int]) -> dict[int, Counts]:
    """Counts by person, of people given as the shoppers that they are.

    Two queries for their lists and events. The events come first and are kept, lists pass by.
    """
    reco = reco_settings()
    compared = set(Placement.objects.filter(strategy=Placement.Strategy.PERSONAL).values_list("key", flat=True))
    personal = consenting(purpose=Consent.Purpose.PERSONALISATION, among=set(members.values()))
    answers = {person: Answers(reco.CREDIT_DAYS) for person in members.values()}
    start, until = _start(day) - DAY, _start(day) + DAY + 2 * reco.CREDIT_DAYS * DAY
    for shopper_id, type_, product, second, slate_id in answers_of(shopper_ids=members, since=start, until=until):
        mine = answers[members[shopper_id]]
        if type_ == Event.Type.PURCHASE:
            mine.buy(product, second)
        elif type_ == Event.Type.VIEW_ITEM_LIST:
            mine.see(slate_id)
        else:
            mine.click(slate_id, product, second)
    told = _lists(day).filter(shopper__in=members).values_list(
        "id", "shopper_id", "placement", "control", "served_at", "items"
    )  # fmt: skip
    for slate_id, shopper_id, placement, control, served_at, items in told.iterator(chunk_size=FEW):
        person = members[shopper_id or 0]
        arm = _arm(placement in compared and person in personal, control)
        answers[person].credit(slate_id, ServedList.of(placement, arm, served_at.timestamp(), items))
    return {person: each.counts for person, each in answers.items()}


def _arm(compared: bool, control: bool) -> str:
    if not compared:
        return Arm.OTHER
    return Arm.CONTROL if control else Arm.PERSONAL


@transaction.atomic
def _keep(day: dt.date, found: Mapping[int, Counts], events: Mapping[int, int]) -> None:
    """Keep the counts of those who are still here and still allow it: whoever leaves locks their row as we do."""
    here = Shopper.objects.select_for_update(no_key=True).filter(pk__in=found).order_by("pk")
    allowed = consenting(purpose=Consent.Purpose.ANALYTICS, among=list(here.values_list("pk", flat=True)))
    ShopperAnswers.objects.bulk_create(
        [
            ShopperAnswers(shopper_id=pk, day=day, counts=_told(found[pk]), events=events.get(pk, 0))
            for pk in sorted(allowed)
        ],
        update_conflicts=True,
        unique_fields=["shopper", "day"],
        update_fields=["counts", "events"],
    )


def _told(counts: Counts) -> list[dict[str, object]]:
    return [
        {"placement": key[0], "arm": key[1], "recommender": key[2], **dict(zip(FIELDS, values, strict=True))}
        for key, values in sorted(counts.items())
    ]


def group_of(shopper_id: int) -> str:
    """The random group of a shopper; it has nothing to do with who is in the control share."""
    digest = hashlib.blake2b(str(shopper_id).encode(), digest_size=8, person=b"answers").digest()
    return str(int.from_bytes(digest, "big") % GROUPS)


@transaction.atomic
def _sum(day: dt.date, counted_at: dt.datetime | None) -> None:
    """Replace a day's sums by those over its shoppers; the day's lock keeps whoever leaves meanwhile out of them."""
    locked = CountedDay.objects.select_for_update().get(day=day)
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS)
    mine = ShopperAnswers.objects.filter(day=day, shopper__in=allowed).values_list("shopper_id", "counts", "events")
    sums: dict[tuple[str, str, str], AnswerCount] = {}
    locked.events = locked.shoppers = 0
    for shopper_id, counts, events in mine.iterator(chunk_size=CHUNK):
        _add_events(locked, events, 1)
        for told in counts:
            key = told["placement"], told["arm"], told["recommender"]
            if key not in sums:
                zeros = dict.fromkeys(FIELDS, 0.0)
                sums[key] = AnswerCount(
                    day=day, placement=key[0], arm=key[1], recommender=key[2], shoppers=0, **zeros, groups={}
                )
            _add(sums[key], shopper_id, told, 1)
    AnswerCount.objects.filter(day=day).delete()
    AnswerCount.objects.bulk_create([sums[key] for key in sorted(sums)])
    locked.counted_at = counted_at or locked.counted_at
    locked.save(update_fields=["counted_at", "events", "shoppers"])


def _add_events(day: CountedDay, events: int, sign: int) -> None:
    """Add one shopper's events to a day's, or take them out."""
    if events:
        day.events += sign * events
        day.shoppers += sign


def _add(row: AnswerCount, shopper_id: int, told: Mapping[str, float], sign: int) -> None:
    """Add one shopper to a sum, or take them out of it."""
    group = group_of(shopper_id)
    old = row.groups.get(group, [0.0] * len(FIELDS))
    new = [value + sign * told[name] for value, name in zip(old, FIELDS, strict=True)]
    row.groups = {**row.groups, group: new} if any(new) else {k: v for k, v in row.groups.items() if k != group}
    row.shoppers += sign
    for name in FIELDS:
        setattr(row, name, getattr(row, name) + sign * told[name])


def _strays() -> QuerySet[ShopperAnswers]:
    """Answers of those who allow it no more, or who turned out to be somebody's account."""
    joined = ShopperLink.objects.filter(undone_at__isnull=True).values("visitor_id")
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS).exclude(shopper__in=joined)
    return ShopperAnswers.objects.exclude(shopper__in=allowed)


def forget_withdrawn(*, shopper_ids: Collection[int]) -> int:
    """Take those of the shoppers who allow it no more out of all counts; returns how many."""
    gone = set(_strays().filter(shopper__in=shopper_ids).values_list("shopper_id", flat=True))
    if gone:
        forget_answers(shopper_ids=gone)
    return len(gone)


@transaction.atomic
def forget_answers(*, shopper_ids: Collection[int]) -> int:
    """Take shoppers out of all counts, as if they had never been in them; returns how many of their days that were."""
    mine = ShopperAnswers.objects.filter(shopper__in=shopper_ids)
    days = sorted(set(mine.values_list("day", flat=True)))
    if not days:
        return 0
    locked = list(CountedDay.objects.select_for_update().filter(day__in=days).order_by("day"))
    summed = {each.day: each for each in locked if each.counted_at is not None}
    rows = {
        (each.day, each.placement, each.arm, each.recommender): each
        for each in AnswerCount.objects.filter(day__in=summed)
    }
    left = mine.filter(day__in=summed).values_list("shopper_id", "day", "counts", "events")
    for shopper_id, day, counts, events in left:
        _add_events(summed[day], events, -1)
        for told in counts:
            row = rows.get((day, told["placement"], told["arm"], told["recommender"]))
            if row is not None:
                _add(row, shopper_id, told, -1)
    _write(rows.values())
    CountedDay.objects.bulk_update(summed.values(), ["events", "shoppers"])
    n_days = mine.delete()[0]
    for each in locked:
        if each.counted_at is None:  # it is being counted, and its sums are of some moment before
            _sum(each.day, None)
    return n_days


def _write(rows: Iterable[AnswerCount]) -> None:
    left = [row for row in rows if row.shoppers > 0]
    AnswerCount.objects.filter(pk__in=[row.pk for row in rows if row.shoppers <= 0]).delete()
    AnswerCount.objects.bulk_update(left, ["shoppers", *FIELDS, "groups"], batch_size=CHUNK)


@transaction.atomic
def _trim(first: dt.date) -> None:
    """Delete what is older than it is shown."""
    tables: Sequence[QuerySet[ShopperAnswers] | QuerySet[AnswerCount] | QuerySet[CountedDay]] = (
        ShopperAnswers.objects.all(), AnswerCount.objects.all(), CountedDay.objects.all(),
    )  # fmt: skip
    for rows in tables:
        rows.filter(day__lt=first).delete()
