"""What shoppers say of their lists."""

from __future__ import annotations

import uuid

from django.db import transaction

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from ..models import Feedback
from ..selectors import slate_of
from ..shown import Shown, shown_in


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
    slate = slate_of(slate_id=slate_id) if slate_id is not None else None
    shown = shown_in(slate, product.parent_id or product.pk)
    disputed = [shown.reason] if kind == Feedback.Kind.WRONG_REASON and shown.reason else []
    theirs = slate is not None and slate.shopper_id in (None, *mine)
    defaults = {"slate_id": slate_id, "disputed": disputed, **(shown if theirs else Shown()).columns()}
    feedback, created = Feedback.objects.get_or_create(shopper=shopper, product=product, kind=kind, defaults=defaults)
    if not created and disputed and feedback.disputed:
        feedback.disputed = sorted({*feedback.disputed, *disputed})
        feedback.save(update_fields=["disputed"])
    return feedback


@transaction.atomic
def withdraw_feedback(*, shopper: Shopper, product: Product, kind: str) -> bool:
    """Forget what a shopper said, as a visitor who signed in since too; whether there was any."""
    said = Feedback.objects.filter(shopper__in=linked_ids(shopper=shopper), product=product, kind=kind)
    return said.delete()[0] > 0
