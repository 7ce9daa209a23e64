"""Counting what lists led to, a day at a time, and taking those who leave out of the counts.

A day is counted from its lists and events, never from its last count: counted twice, it is the same. Today is
counted at each call, yesterday once an hour, an older day once a day until its last purchase can have come.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.events.selectors import answers_of, flags_in_force
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import account_links, all_consenting, consenting

from ..attribution import GROUPS, Answers, Counts, ServedList
from ..models import AnswerCount, Arm, CountedDay, Placement, ShopperAnswers, Slate

PEOPLE, CHUNK = 100, 500
"""Shoppers whose lists are read at once, and rows written or looked up at once."""
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
    _trim(_first(now))
    return len(days)


def _first(now: dt.datetime) -> dt.date:
    """The oldest day that is kept, and none of whose lists was trimmed."""
    reco = reco_settings()
    return max((now - reco.ANSWER_DAYS * DAY).date(), (now - reco.SLATE_DAYS * DAY).date()) + DAY


def _due(now: dt.datetime) -> list[dt.date]:
    counted = dict(CountedDay.objects.values_list("day", "counted_at"))
    days = [now.date() - k * DAY for k in range((now.date() - _first(now)).days + 1)]
    return [day for day in days if day == now.date() or _is_due(day, counted.get(day), now)]


def _is_due(day: dt.date, counted_at: dt.datetime | None, now: dt.datetime) -> bool:
    if counted_at is None:
        return True
    last = _start(day) + DAY + (2 * reco_settings().CREDIT_DAYS + 1) * DAY  # one more for what arrives late
    rest = dt.timedelta(hours=1) if now.date() - day == DAY else DAY
    return counted_at < min(last, now - rest)


def _start(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)


def count_day(*, day: dt.date, now: dt.datetime) -> None:
    """Count the answers to the lists of one day anew; shopper by shopper, then their sums in one transaction."""
    CountedDay.objects.update_or_create(day=day, defaults={"counted_at": None})
    links = account_links()
    visitors = defaultdict(list)
    for visitor, account in links.items():
        visitors[account].append(visitor)
    people = iter(_people(day, links))
    seen: set[int] = set()
    while some := list(islice(people, PEOPLE)):
        members = {each: person for person in some for each in (person, *visitors[person])}
        _keep(day, _counted(day, members))
        seen.update(some)
    kept = set(ShopperAnswers.objects.filter(day=day).values_list("shopper_id", flat=True))
    gone = sorted(kept - seen)
    for start in range(0, len(gone), CHUNK):
        ShopperAnswers.objects.filter(day=day, shopper__in=gone[start : start + CHUNK]).delete()
    _sum(day, now)


def _lists(day: dt.date) -> QuerySet[Slate]:
    allowed = all_consenting(purpose=Consent.Purpose.ANALYTICS)
    start = _start(day)
    return Slate.objects.filter(served_at__gte=start, served_at__lt=start + DAY, shopper__in=allowed).order_by()


def _people(day: dt.date, links: Mapping[int, int]) -> list[int]:
    """Whose lists count: accounts for their visitors; whom a rule about bots flagged, or who asks as one, does not."""
    asked = _lists(day).values_list("shopper_id").annotate(n=Count("pk"))
    flagged = {links.get(pk, pk) for pk in flags_in_force()}
    some = {links.get(pk, pk) for pk, n in asked.iterator() if pk is not None and n <= MOST}
    return sorted(some - flagged)


def _counted(day: dt.date, members: Mapping[int, int]) -> dict[int, Counts]:
    """Counts by person, of people given as the shoppers that they are; three queries for their lists and events."""
    reco = reco_settings()
    compared = set(Placement.objects.filter(strategy=Placement.Strategy.PERSONAL).values_list("key", flat=True))
    personal = consenting(purpose=Consent.Purpose.PERSONALISATION, among=set(members.values()))
    lists: dict[int, dict[object, ServedList]] = {person: {} for person in members.values()}
    told = _lists(day).filter(shopper__in=members).values_list(
        "id", "shopper_id", "placement", "control", "served_at", "items"
    )  # fmt: skip
    for slate_id, shopper_id, placement, control, served_at, items in told.iterator(chunk_size=CHUNK):
        person = members[shopper_id or 0]
        arm = _arm(placement in compared and person in personal, control)
        lists[person][slate_id] = ServedList.of(placement, arm, served_at.timestamp(), items)
    answers = {person: Answers(mine, reco.CREDIT_DAYS) for person, mine in lists.items()}  # type: ignore[arg-type]
    start, until = _start(day) - DAY, _start(day) + DAY + 2 * reco.CREDIT_DAYS * DAY
    for shopper_id, type_, product, second, slate_id in answers_of(shopper_ids=members, since=start, until=until):
        mine = answers[members[shopper_id]]
        if type_ == Event.Type.PURCHASE:
            mine.buy(product, second)
        elif type_ == Event.Type.VIEW_ITEM_LIST:
            mine.see(slate_id)
        else:
            mine.click(slate_id, product, second)
    return {person: each.counts() for person, each in answers.items()}


def _arm(compared: bool, control: bool) -> str:
    if not compared:
        return Arm.OTHER
    return Arm.CONTROL if control else Arm.PERSONAL


@transaction.atomic
def _keep(day: dt.date, found: Mapping[int, Counts]) -> None:
    """Keep the counts of those who are still here and still allow it: whoever leaves locks their row as we do."""
    here = Shopper.objects.select_for_update(no_key=True).filter(pk__in=found).order_by("pk")
    allowed = consenting(purpose=Consent.Purpose.ANALYTICS, among=list(here.values_list("pk", flat=True)))
    ShopperAnswers.objects.bulk_create(
        [ShopperAnswers(shopper_id=pk, day=day, counts=_told(found[pk])) for pk in sorted(allowed)],
        update_conflicts=True,
        unique_fields=["shopper", "day"],
        update_fields=["counts"],
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
    mine = ShopperAnswers.objects.filter(day=day, shopper__in=allowed).values_list("shopper_id", "counts")
    sums: dict[tuple[str, str, str], AnswerCount] = {}
    for shopper_id, counts in mine.iterator(chunk_size=CHUNK):
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
    if counted_at is not None:
        locked.counted_at = counted_at
        locked.save(update_fields=["counted_at"])


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
    summed = [each.day for each in locked if each.counted_at is not None]
    rows = {
        (each.day, each.placement, each.arm, each.recommender): each
        for each in AnswerCount.objects.filter(day__in=summed)
    }
    for shopper_id, day, counts in mine.filter(day__in=summed).values_list("shopper_id", "day", "counts"):
        for told in counts:
            row = rows.get((day, told["placement"], told["arm"], told["recommender"]))
            if row is not None:
                _add(row, shopper_id, told, -1)
    _write(rows.values())
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
