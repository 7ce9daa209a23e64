"""Questions of staff who review feedback: what waits, how one piece came about, and what was decided on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from shop_reco.products.filters import categories_below
from shop_reco.products.models import Category, Product
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from .models import Feedback, Placement, Recommender, Slate, Verdict
from .selectors import slate_of
from .shown import DISPUTABLE

PAGE = 100
"""Pieces of feedback on a page of the queue."""
COLOURS = {
    "HISTORY_ITEM": "#2563eb", "SIMILAR_SHOPPERS": "#7c3aed", "FEATURE": "#059669", "POPULAR": "#d97706",
    "REPEAT": "#0891b2", "PINNED": "#db2777", "RULE": "#64748b", "REMAINDER": "#94a3b8", "DISLIKE": "#dc2626",
}  # fmt: skip
"""Of the kinds of reasons, in charts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which feedback; empty and None: any.

    Attributes:
        age: In days: given since then, or, below zero, before then.
        category: With all below it.
    """

    review: str = ""
    kind: str = ""
    placement: str = ""
    recommender: str = ""
    reason: str = ""
    age: int | None = None
    category: int | None = None
    brand: int | None = None
    product: int | None = None


def wanted_feedback(wanted: Wanted, *, now: dt.datetime | None = None) -> QuerySet[Feedback]:
    """The feedback, newest first; two queries more where a category is asked for."""
    columns = ("review", "kind", "placement", "recommender", "reason")
    found = Feedback.objects.filter(**{name: value for name in columns if (value := getattr(wanted, name))})
    if wanted.age:
        then = (now or timezone.now()) - dt.timedelta(days=abs(wanted.age))
        found = found.filter(Q(given_at__gte=then) if wanted.age > 0 else Q(given_at__lt=then))
    if wanted.category is not None:
        paths = list(Category.objects.filter(pk=wanted.category).values_list("path", flat=True))
        of_item = Product.objects.annotate(of_item=Coalesce("parent__category_id", "category_id"))
        found = found.filter(product__in=of_item.filter(of_item__in=categories_below(paths=paths)).values("pk"))
    if wanted.brand is not None:
        of_item = Product.objects.annotate(of_item=Coalesce("parent__brand_id", "brand_id"))
        found = found.filter(product__in=of_item.filter(of_item=wanted.brand).values("pk"))
    if wanted.product is not None:
        found = found.filter(Q(product=wanted.product) | Q(product__parent=wanted.product))
    return found.order_by("-given_at", "-pk")


def page_of(found: QuerySet[Feedback], *, after: int | None = None) -> tuple[list[Feedback], bool]:
    """The first pieces, or those that follow one, and whether there are more; one query, two for a later page."""
    if after is not None:
        last = Feedback.objects.filter(pk=after).values_list("given_at", flat=True).first()
        if last is not None:
            found = found.filter(Q(given_at__lt=last) | Q(given_at=last, pk__lt=after))
    rows = list(told(found)[: PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE


def told(found: QuerySet[Feedback]) -> QuerySet[Feedback]:
    """With what a line of the queue tells of each."""
    return found.select_related("product", "shopper", "reviewed_by")


def pseudonym(shopper: Shopper) -> str:
    """What staff call a shopper whose name is no matter of theirs: the same each time, and not the shop's own id."""
    return _("shopper %(id)s") % {"id": shopper.public_id.hex[:8]}


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a score; ``left`` and ``width`` in percent of a bar of all terms side by side, by their size."""

    kind: str
    name: str
    recommender: str
    points: float
    evidence: list[str]
    colour: str
    left: float
    width: float
    disputed: bool

    @property
    def disputable(self) -> bool:
        return self.kind in DISPUTABLE


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of feedback with how it came about.

    Attributes:
        slate: The list that it answers, while that is kept.
        others: What is said of the same product besides, by kind.
        verdicts: What was decided, the last first.
        standing: The verdict that can be taken back.
    """

    feedback: Feedback
    placement: str
    slate: Slate | None
    score: float | None
    terms: list[Term]
    others: list[tuple[str, int]]
    verdicts: list[Verdict]
    standing: Verdict | None = field(default=None)


def piece(*, pk: int) -> Piece | None:
    """All that the queue tells of one piece of feedback; seven queries."""
    rows = told(Feedback.objects.filter(pk=pk))
    feedback = rows.select_related("product__parent", "product__category", "product__brand").first()
    if feedback is None:
        return None
    slate = _theirs(feedback)
    item = next((each for each in slate.items if each["product"] == feedback.item_id), None) if slate else None
    kinds = dict(Feedback.Kind.choices)
    others = Feedback.objects.filter(product=feedback.product_id).exclude(pk=pk).order_by()
    verdicts = list(feedback.verdicts.select_related("by", "undone_by", "rule"))
    return Piece(
        feedback=feedback,
        placement=_title_of(feedback.placement),
        slate=slate,
        score=item["score"] if item else None,
        terms=terms_of(item["reasons"], feedback.disputed) if item else [],
        others=[
            (str(kinds.get(kind, kind)), n)
            for kind, n in others.values_list("kind").annotate(n=Count("pk")).order_by("-n", "kind")
        ],
        verdicts=verdicts,
        standing=next((each for each in verdicts if each.undone_at is None), None),
    )


def _theirs(feedback: Feedback) -> Slate | None:
    """The list that was answered; not one of somebody else, whatever id the shopper named."""
    slate = slate_of(slate_id=feedback.slate_id) if feedback.slate_id else None
    if slate is None or slate.shopper_id in (None, feedback.shopper_id):
        return slate
    return slate if slate.shopper_id in linked_ids(shopper=feedback.shopper) else None


def _title_of(placement: str) -> str:
    spot = Placement.objects.filter(pk=placement).only("key", "title").first()
    return placement if spot is None else str(spot)


def terms_of(reasons: Sequence[Mapping[str, Any]], disputed: Collection[str]) -> list[Term]:
    """The terms of a score, the largest first, with what they rest on by name; one query."""
    named = {pk for reason in reasons for pk in reason["evidence"]}
    open_ = Product.objects.filter(pk__in=named, visible=True, deleted_at=None).exclude(category__sensitive=True)
    titles = dict(open_.values_list("pk", "title"))
    kinds, recommenders = dict(Slate.ReasonKind.choices), dict(Recommender.Kind.choices)
    whole = sum(abs(reason["points"]) for reason in reasons) or 1.0
    terms, left = [], 0.0
    for reason in sorted(reasons, key=lambda each: -abs(each["points"])):
        width = 100 * abs(reason["points"]) / whole
        source = reason.get("source", "")
        terms.append(
            Term(
                kind=reason["kind"],
                name=str(kinds.get(reason["kind"], reason["kind"])),
                recommender=str(recommenders.get(source, source)),
                points=reason["points"],
                evidence=[titles[pk] for pk in reason["evidence"] if pk in titles],
                colour=COLOURS.get(reason["kind"], COLOURS["REMAINDER"]),
                left=round(left, 2),
                width=round(max(width - 0.4, 0.2), 2),
                disputed=reason["kind"] in disputed,
            )
        )
        left += width
    return terms


def verdicts_under(*, ticket: UUID) -> list[int]:
    """Primary keys of the verdicts that were given together; one query."""
    return list(Verdict.objects.filter(ticket=ticket).values_list("pk", flat=True))


def feedback_told(*, ids: Iterable[int]) -> list[Feedback]:
    """Some feedback with what a line of the queue tells of it; one query."""
    return list(told(Feedback.objects.filter(pk__in=list(ids))))
