"""What many shoppers complain of alike, and whether that grew less after a training that learnt from it.

Counted are the complaints of those who allow analytics; nothing is told that fewer than FEWEST shoppers stand behind,
and nothing of sensitive categories. Nothing here looks at events: how often something was shown is estimated from
the newest lists, and how many lists there were is read from the counts of answers.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Case, CharField, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop_reco.products.models import Brand, Category, Product
from shop_reco.products.selectors import sensitive_categories
from shop_reco.users.models import Consent
from shop_reco.users.selectors import account_links, all_consenting

from .attribution import WHOLE
from .models import AnswerCount, Feedback, Promotion, Recommender, Slate
from .reading import FEWEST
from .selectors import NO
from .shown import foremost

DAYS = 28
"""Days of feedback that themes are found in."""
MOST = 50_000
"""Pieces of feedback that are looked at, the newest ones: with more of them the days become fewer."""
SAMPLE = 200
"""Newest lists that tell how often something is shown."""
TOLD = 8
"""Themes of each dimension at most."""
MANY = 10_000
"""Products of which each is asked for by its key; of more, all are read."""
MOST_PAIRS = 1000
"""Refused products, the last accepted ones, that are looked for in later lists."""
MOST_LISTS = 2000
"""Later lists that are looked at for them, the newest ones."""
DIMENSIONS = {
    "product": _("Product"),
    "category": _("Category"),
    "brand": _("Brand"),
    "reason": _("Reason"),
    "recommender": _("Recommender"),
}
SIDES = {"before": -1, "after": 1}
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """A theme's complaints on some days; ``n`` is None where fewer than FEWEST shoppers made them."""

    n: int | None
    lists: float

    @property
    def per_thousand(self) -> float | None:
        """Lists served."""
        return None if self.n is None or self.lists <= 0 else 1000 * self.n / self.lists


@dataclass(frozen=True, slots=True)
class Theme:
    """Alike complaints.

    Attributes:
        value: Of the dimension: a primary key, a kind of reason or a recommender.
        lift: The share of the complaints of its kind, beside the share of what was shown; None where that is unknown.
        before, after: The days before and after a training learnt from it; None where none has yet.
    """

    dimension: str
    value: Any
    name: str
    kind: str
    kind_name: str
    n: int
    shoppers: int
    waiting: int
    lift: float | None
    before: Window | None = None
    after: Window | None = None


@dataclass(frozen=True, slots=True)
class ShownAgain:
    """Of products that were refused before a training, how many its lists showed to who refused them."""

    pairs: int
    again: int


@dataclass(frozen=True, slots=True)
class Themes:
    """All of it.

    Attributes:
        since: From when on.
        learnt_at: When the first version went live that had learnt from what was accepted; None where none has.
    """

    themes: dict[str, list[Theme]]
    complaints: int
    since: dt.datetime
    learnt_at: dt.datetime | None
    shown_again: ShownAgain | None


@dataclass(frozen=True, slots=True)
class _Complaints:
    """Columns of equal length, shape (n,); -1 where a row has no such value."""

    people: Codes
    kinds: Codes
    waiting: npt.NDArray[np.bool_]
    accepted: npt.NDArray[np.bool_]
    windows: Codes  # -1 before the training, 0 on its day, 1 after it
    values: Mapping[str, Codes]
    names: Mapping[str, Sequence[Any]]  # what each code of a dimension stands for


def themes(*, now: dt.datetime | None = None) -> Themes:
    """Found in the last DAYS days; sixteen queries at most, however much there is."""
    now = now or timezone.now()
    since = _since(now)
    learnt_at, links = _learnt_at(since), account_links()
    complaints = _read(since, learnt_at, links)
    shares, lists = _shares(complaints), _lists(since, learnt_at) if learnt_at else None
    found: dict[str, list[Theme]] = {}
    for dimension in DIMENSIONS:
        raw = _grouped(complaints, dimension, shares.get(dimension, {}), lists)
        found[dimension] = sorted(raw, key=_weight, reverse=True)[:TOLD]
    return Themes(
        themes=_named(found),
        complaints=len(complaints.people) if len(set(complaints.people.tolist())) >= FEWEST else 0,
        since=since,
        learnt_at=learnt_at,
        shown_again=_shown_again(learnt_at, links) if learnt_at else None,
    )


def _since(now: dt.datetime) -> dt.datetime:
    """One query, over an index."""
    newest = Feedback.objects.order_by("-given_at", "-pk").values_list("given_at", flat=True)
    return max([now - dt.timedelta(days=DAYS), *newest[MOST : MOST + 1]])


def _weight(theme: Theme) -> tuple[float, int]:
    """Complaints beyond what would follow from how often it is shown."""
    return (theme.n - theme.n / theme.lift if theme.lift else 0.0), theme.n


def _learnt_at(since: dt.datetime) -> dt.datetime | None:
    """When the first version went live after some of the feedback was accepted; two queries."""
    accepted = Feedback.objects.filter(review=Feedback.Review.ACCEPTED, given_at__gte=since)
    first = accepted.exclude(kind=Feedback.Kind.LIKE).aggregate(first=Min("reviewed_at"))["first"]
    if first is None:
        return None
    later = Promotion.objects.filter(went_live=True, decided_at__gt=first).exclude(decided_by=Promotion.By.ROLL_BACK)
    # what was promoted may have begun before: its run tells
    later = later.filter(Q(version__run__isnull=True) | Q(version__run__started_at__gt=first))
    return later.order_by("decided_at").values_list("decided_at", flat=True).first()


def _read(since: dt.datetime, learnt_at: dt.datetime | None, links: Mapping[int, int]) -> _Complaints:
    """The complaints as columns; four queries."""
    start = _day(learnt_at or timezone.now())
    window = Case(
        When(given_at__lt=start, then=Value("before")),
        When(given_at__gte=start + dt.timedelta(days=1), then=Value("after")),
        default=Value("that day"),
        output_field=CharField(),  # what the database hands over as it is
    )
    allowed = np.fromiter(all_consenting(purpose=Consent.Purpose.ANALYTICS), dtype=np.int64)
    rows = (
        Feedback.objects.filter(given_at__gte=since)
        .exclude(kind=Feedback.Kind.LIKE)
        .order_by()
        .values_list("shopper_id", "kind", "product_id", "reason", "recommender", "review", window)
    )
    columns = list(zip(*rows, strict=True)) or [()] * 7
    about = _about(set(columns[2]))
    keep = np.isin(np.array(columns[0], dtype=np.int64), allowed)
    keep &= np.array([pk in about for pk in columns[2]], dtype=bool)
    people, kinds, named, reasons, recommenders, reviews, windows = (
        list(compress(column, keep.tolist())) for column in columns
    )
    items = [about[pk] for pk in named]
    products, categories, brands = ([item[place] for item in items] for place in range(3))
    told = {
        "product": products, "category": categories, "brand": brands, "reason": reasons, "recommender": recommenders,
    }  # fmt: skip
    coded = {dimension: _codes(column) for dimension, column in told.items()}
    kinds_coded, kind_names = _codes(kinds)
    return _Complaints(
        people=_codes([links.get(each, each) for each in people])[0],
        kinds=kinds_coded,
        waiting=np.array([each == Feedback.Review.OPEN for each in reviews], dtype=bool),
        accepted=np.array([each == Feedback.Review.ACCEPTED for each in reviews], dtype=bool),
        windows=np.array([SIDES.get(each, 0) for each in windows], dtype=np.int64),
        values={dimension: codes for dimension, (codes, _) in coded.items()},
        names={**{dimension: names for dimension, (_, names) in coded.items()}, "kind": kind_names},
    )


def _about(products: Collection[int]) -> dict[int, tuple[int, int | None, int | None]]:
    """What lists show of some products, with its category and brand; none that is sensitive. Two queries."""
    silent = set(sensitive_categories())
    found = Product.objects.annotate(
        item=Coalesce("parent_id", "pk"),
        of_item=Coalesce("parent__category_id", "category_id"),
        made_by=Coalesce("parent__brand_id", "brand_id"),
    )
    rows = found.values_list("pk", "item", "of_item", "made_by")
    if len(products) <= MANY:
        rows = rows.filter(pk__in=products)
    return {pk: (item, category, brand) for pk, item, category, brand in rows if category not in silent}


def _day(moment: dt.datetime) -> dt.datetime:
    """Midnight of its day (UTC), as answers are counted."""
    return moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _codes(column: Sequence[Any]) -> tuple[Codes, list[Any]]:
    """Each value as its number, -1 for none, and the values in the order of their numbers."""
    table: dict[Any, int] = {}
    codes = [-1 if value in (None, "") else table.setdefault(value, len(table)) for value in column]
    return np.array(codes, dtype=np.int64), list(table)


def _grouped(
    complaints: _Complaints, dimension: str, shares: Mapping[Any, float], lists: tuple[float, float] | None
) -> list[Theme]:
    """A theme for each value and kind that enough shoppers stand behind; no names yet."""
    values, names, kinds = complaints.values[dimension], complaints.names[dimension], complaints.names["kind"]
    known = values >= 0
    if not known.any():
        return []
    keys, groups = np.unique(values[known] * len(kinds) + complaints.kinds[known], return_inverse=True)
    people = complaints.people[known]
    of_kind = np.bincount(complaints.kinds[known], minlength=len(kinds))
    whole, shoppers = np.bincount(groups), _distinct(groups, people, keys.size)
    waiting = np.bincount(groups[complaints.waiting[known]], minlength=keys.size)
    windows = complaints.windows[known]
    learnt = np.bincount(groups[complaints.accepted[known] & (windows < 1)], minlength=keys.size)
    sides = {}
    for side in (-1, 1):
        here = windows == side
        sides[side] = (
            np.bincount(groups[here], minlength=keys.size),
            _distinct(groups[here], people[here], keys.size),
        )
    told = []
    for place in np.flatnonzero(shoppers >= FEWEST).tolist():
        code, kind = divmod(int(keys[place]), len(kinds))
        share = shares.get(names[code])
        before = after = None
        if lists is not None and learnt[place]:
            before, after = (
                Window(int(n[place]) if few[place] == 0 or few[place] >= FEWEST else None, of)
                for (n, few), of in zip((sides[-1], sides[1]), lists, strict=True)
            )
        told.append(
            Theme(
                dimension=dimension,
                value=names[code],
                name="",
                kind=kinds[kind],
                kind_name=str(Feedback.Kind(kinds[kind]).label),
                n=int(whole[place]),
                shoppers=int(shoppers[place]),
                waiting=int(waiting[place]),
                lift=float(whole[place] / of_kind[kind] / share) if share else None,
                before=before,
                after=after,
            )
        )
    return told


def _distinct(groups: Codes, people: Codes, n_groups: int) -> Codes:
    """Different people of each group, shape (n_groups,)."""
    if not groups.size:
        return np.zeros(n_groups, dtype=np.int64)
    wide = int(people.max()) + 1
    return np.bincount(np.unique(groups * wide + people) // wide, minlength=n_groups)


def _shares(complaints: _Complaints) -> dict[str, dict[Any, float]]:
    """How much of what the newest lists show has each value, 0 to 1; two queries."""
    if not complaints.people.size:
        return {}
    shown: dict[str, Counter[Any]] = {dimension: Counter() for dimension in DIMENSIONS}
    for items in Slate.objects.order_by("-served_at").values_list("items", flat=True)[:SAMPLE]:
        for item in items:
            reason, recommender = foremost(item["reasons"])
            shown["product"][item["product"]] += 1
            shown["reason"][reason] += 1
            shown["recommender"][recommender] += 1
    about = Product.objects.filter(parent=None).filter(
        Q(category__in=complaints.names["category"]) | Q(brand__in=complaints.names["brand"])
    )
    for pk, category, brand in about.values_list("pk", "category_id", "brand_id"):
        shown["category"][category] += shown["product"].get(pk, 0)
        shown["brand"][brand] += shown["product"].get(pk, 0)
    products = shown["product"].total()
    shares = {}
    for dimension, counts in shown.items():
        known = Counter({value: n for value, n in counts.items() if value not in (None, "")})
        whole = known.total() if dimension in ("reason", "recommender") else products
        shares[dimension] = {value: n / whole for value, n in known.items() if n}
    return shares


def _lists(since: dt.datetime, learnt_at: dt.datetime) -> tuple[float, float]:
    """Lists served on the days before a training and on those after it; one query."""
    day = _day(learnt_at).date()
    counted = AnswerCount.objects.filter(day__gte=_day(since).date(), recommender=WHOLE).aggregate(
        before=Sum("lists", filter=Q(day__lt=day)), after=Sum("lists", filter=Q(day__gt=day))
    )
    return counted["before"] or 0.0, counted["after"] or 0.0


def _named(found: Mapping[str, list[Theme]]) -> dict[str, list[Theme]]:
    """With what the values are called; three queries."""

    def pks(dimension: str) -> list[Any]:
        return [theme.value for theme in found[dimension]]

    names: dict[str, Mapping[Any, Any]] = {
        "product": dict(Product.objects.filter(pk__in=pks("product")).values_list("pk", "title")),
        "category": dict(Category.objects.filter(pk__in=pks("category")).values_list("pk", "path")),
        "brand": dict(Brand.objects.filter(pk__in=pks("brand")).values_list("pk", "name")),
        "reason": dict(Slate.ReasonKind.choices),
        "recommender": dict(Recommender.Kind.choices),
    }
    return {
        dimension: [_with_name(theme, str(names[dimension].get(theme.value, theme.value))) for theme in told]
        for dimension, told in found.items()
    }


def _with_name(theme: Theme, name: str) -> Theme:
    values = {column: getattr(theme, column) for column in Theme.__slots__}
    return Theme(**(values | {"name": name}))


def _shown_again(learnt_at: dt.datetime, links: Mapping[int, int]) -> ShownAgain | None:
    """None where fewer than FEWEST shoppers refused anything before; two queries."""
    refused = Feedback.objects.filter(
        Q(kind__in=NO) | Q(excluded=True), review=Feedback.Review.ACCEPTED, reviewed_at__lt=learnt_at,
        shopper__in=all_consenting(purpose=Consent.Purpose.ANALYTICS),
    )  # fmt: skip
    rows = refused.order_by("-reviewed_at").values_list("shopper_id", "product_id", "product__parent_id")[:MOST_PAIRS]
    told = list(rows)
    pairs = {(links.get(shopper, shopper), parent or product) for shopper, product, parent in told}
    people = {person for person, _ in pairs}
    if len(people) < FEWEST:
        return None
    also = {visitor for visitor, account in links.items() if account in people}
    lists = Slate.objects.filter(shopper__in={*people, *also}, served_at__gte=learnt_at).order_by("-served_at")
    again = {
        (links.get(shopper, shopper), item["product"])
        for shopper, items in lists.values_list("shopper_id", "items")[:MOST_LISTS]
        for item in items
    }
    return ShownAgain(len(pairs), len(pairs & again))
