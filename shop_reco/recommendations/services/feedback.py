"""What shoppers say of their lists, and what staff think of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from ..models import (
    Feedback,
    Slate,
)
from ..selectors import slate_of

DISPUTABLE = tuple(kind for kind in Slate.ReasonKind if kind not in (Slate.ReasonKind.REMAINDER, Slate.ReasonKind.RULE))
"""Kinds of reasons that say something a shopper may find wrong."""


@transaction.atomic
def give_feedback(*, shopper: Shopper, product: Product, kind: str, slate_id: uuid.UUID | None = None) -> Feedback:
    """Keep what a shopper said; saying it twice keeps one. A like takes an earlier no back, and the other way round.

    Earlier is also what they said as a visitor who signed in since. A wrong reason is the foremost one of the list
    that it answers, and is not told of that product any more; each further one that is wrong adds to it.
    """
    opposite = {
        Feedback.Kind.LIKE: [Feedback.Kind.NOT_INTERESTED, Feedback.Kind.DISLIKE],
        Feedback.Kind.NOT_INTERESTED: [Feedback.Kind.LIKE],
        Feedback.Kind.DISLIKE: [Feedback.Kind.LIKE],
    }.get(Feedback.Kind(kind), [])
    mine = linked_ids(shopper=shopper)
    Feedback.objects.filter(shopper__in=mine, product=product, kind__in=opposite).delete()
    disputed = _foremost(slate_id, product) if kind == Feedback.Kind.WRONG_REASON else []
    feedback, created = Feedback.objects.get_or_create(
        shopper=shopper, product=product, kind=kind, defaults={"slate_id": slate_id, "disputed": disputed}
    )
    if not created and disputed and feedback.disputed:
        feedback.disputed = sorted({*feedback.disputed, *disputed})
        feedback.save(update_fields=["disputed"])
    return feedback


@transaction.atomic
def withdraw_feedback(*, shopper: Shopper, product: Product, kind: str) -> bool:
    """Forget what a shopper said, as a visitor who signed in since too; whether there was any."""
    said = Feedback.objects.filter(shopper__in=linked_ids(shopper=shopper), product=product, kind=kind)
    return said.delete()[0] > 0


def _foremost(slate_id: uuid.UUID | None, product: Product) -> list[str]:
    """The kind of reason with the most points that a list gave for a product; none where the list is not known."""
    slate = slate_of(slate_id=slate_id) if slate_id is not None else None
    item = product.parent_id or product.pk
    points: dict[str, float] = {}
    for reason in (r for each in (slate.items if slate else ()) if each["product"] == item for r in each["reasons"]):
        if reason["kind"] in DISPUTABLE:
            points[reason["kind"]] = points.get(reason["kind"], 0.0) + reason["points"]
    return [max(sorted(points), key=lambda kind: points[kind])] if points else []


@transaction.atomic
def review_feedback(*, feedback: Iterable[Feedback], verdict: str, by: Any) -> int:
    """Record what staff think of some feedback; returns how many."""
    chosen = Feedback.objects.filter(pk__in=[each.pk for each in feedback])
    return chosen.update(review=Feedback.Review(verdict), reviewed_by=by, reviewed_at=timezone.now())
