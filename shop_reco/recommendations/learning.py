"""What staff accepted of the shoppers' feedback weighs in the next training; what is open or dismissed does not.

An accepted no takes away what could be learnt of that shopper and product; an accepted like adds to it. "Already
have it" changes nothing: they chose the product, wherever they got it. A wrong reason says that we explained badly,
not what anybody likes: nothing is learnt from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models.functions import Coalesce

from reco_engine.data.interactions import Interactions
from reco_engine.types import Ids
from shop_reco.conf import reco_settings
from shop_reco.events.selectors import flags_in_force
from shop_reco.products.selectors import sensitive_categories
from shop_reco.users.models import Consent
from shop_reco.users.selectors import account_links, all_consenting

from .models import Feedback

NO = (Feedback.Kind.DISLIKE, Feedback.Kind.NOT_INTERESTED)


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of feedback in the engine's ids: a person, a product (the parent of a variant), unix seconds."""

    person: int
    product: int
    kind: str
    at: float


def weighed(
    interactions: Interactions, feedback: Sequence[Said], *, like_weight: float
) -> tuple[Interactions, dict[str, int]]:
    """The interactions without those on refused products, and with likes as interactions of ``like_weight``.

    Returns:
        The interactions, the same bytes whatever the order of ``feedback``, and how many accepted pieces of each
        kind there were, how many interactions went (``removed``), and how many came (``added``).
    """
    said = Counter(each.kind for each in feedback)
    refused = {(each.person, each.product) for each in feedback if each.kind in NO}
    likes = sorted(
        (each.person, each.product, each.at)
        for each in feedback
        if each.kind == Feedback.Kind.LIKE and like_weight > 0 and (each.person, each.product) not in refused
    )
    users, items = interactions.user_ids[interactions.users], interactions.item_ids[interactions.items]
    gone = _among(users, items, refused)
    counts = {**dict(sorted(said.items())), "removed": int(np.count_nonzero(gone)), "added": len(likes)}
    kept = interactions.where(~gone) if gone.any() else interactions
    if not likes:
        return kept, counts
    people, products, times = (np.asarray(column) for column in zip(*likes, strict=True))
    ratings = None if kept.ratings is None else np.concatenate([kept.ratings, np.zeros(len(likes))])
    return Interactions.from_arrays(
        np.concatenate([users[~gone], people]),
        np.concatenate([items[~gone], products]),
        np.concatenate([kept.timestamps, times]),
        np.concatenate([kept.weights, np.full(len(likes), like_weight)]),
        ratings,
    ), counts


def _among(users: Ids, items: Ids, pairs: set[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Which places hold one of some pairs of user and item."""
    found = np.isin(users, np.fromiter({person for person, _ in pairs}, np.int64))
    places = np.flatnonzero(found)
    found[places] = [(users[place], items[place]) in pairs for place in places.tolist()]
    return found


def accepted_feedback() -> list[Said]:
    """What staff accepted, of those who may be learnt from, on products that may; four queries."""
    allowed, links = all_consenting(purpose=Consent.Purpose.TRAINING), account_links()
    flagged = {links.get(pk, pk) for pk in flags_in_force()}
    silent = set(sensitive_categories())
    found = Feedback.objects.filter(review=Feedback.Review.ACCEPTED, shopper__in=allowed).order_by("pk")
    rows = found.annotate(category=Coalesce("product__parent__category_id", "product__category_id"))
    columns = ("shopper_id", "product_id", "product__parent_id", "kind", "given_at", "category")
    told = rows.values_list(*columns).iterator(chunk_size=2000)
    return [
        Said(links.get(shopper, shopper), parent or product, kind, given_at.timestamp())
        for shopper, product, parent, kind, given_at, category in told
        if links.get(shopper, shopper) not in flagged and category not in silent
    ]


def with_feedback(interactions: Interactions) -> tuple[Interactions, Mapping[str, int]]:
    """What a training learns from, after what staff accepted of the feedback; and the counts for its report."""
    return weighed(interactions, accepted_feedback(), like_weight=reco_settings().LIKE_WEIGHT)
