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
)


@transaction.atomic
def give_feedback(*, shopper: Shopper, product: Product, kind: str, slate_id: uuid.UUID | None = None) -> Feedback:
    """Keep what a shopper said; saying it twice keeps one. A like takes an earlier no back, and the other way round.

    Earlier is also what they said as a visitor who signed in since.
    """
    opposite = {
        Feedback.Kind.LIKE: [Feedback.Kind.NOT_INTERESTED, Feedback.Kind.DISLIKE],
        Feedback.Kind.NOT_INTERESTED: [Feedback.Kind.LIKE],
        Feedback.Kind.DISLIKE: [Feedback.Kind.LIKE],
    }.get(Feedback.Kind(kind), [])
    mine = linked_ids(shopper=shopper)
    Feedback.objects.filter(shopper__in=mine, product=product, kind__in=opposite).delete()
    feedback, _ = Feedback.objects.get_or_create(
        shopper=shopper, product=product, kind=kind, defaults={"slate_id": slate_id}
    )
    return feedback


@transaction.atomic
def review_feedback(*, feedback: Iterable[Feedback], verdict: str, by: Any) -> int:
    """Record what staff think of some feedback; returns how many."""
    chosen = Feedback.objects.filter(pk__in=[each.pk for each in feedback])
    return chosen.update(review=Feedback.Review(verdict), reviewed_by=by, reviewed_at=timezone.now())
