"""One item of a list, explained to the end: every term, and what it would take for it not to be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from reco_engine.ranking import Hybrid
from reco_engine.reasons.counterfactual import counterfactual
from shop_reco.conf import reco_settings
from shop_reco.products.models import Product
from shop_reco.products.selectors import final_rows
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids

from ..models import Placement, Slate
from .asking import asked
from .known import Known
from .replay import NotPossibleError, computed
from .served import ServedReason
from .slates import own_slate
from .texts import told

EVERY = 2000
"""Terms told at most: a history has no more."""


@dataclass
class Explanation:
    """Why an item is in a list; each part is worked out when it is first asked for.

    Attributes:
        score: The sum of the terms.
    """

    score: float
    slate: Slate = field(repr=False)
    shopper: Shopper | None = field(repr=False)
    product: Product = field(repr=False)

    @property
    def terms(self) -> list[ServedReason]:
        """All of them, as they were when the list was served; none where what it rested on is gone."""
        return self._recomputed[0]

    @property
    def gone(self) -> str:
        """Why there are none."""
        return self._recomputed[1]

    @property
    def without(self) -> list[Product]:
        """What the shopper did: without it the item would not be among as many as the list had, by what is known now.

        Found by removing, and proved by ranking again. Empty where nothing of it does.
        """
        return self._counterfactual[0]

    @property
    def instead(self) -> list[Product]:
        """What would be there in its place."""
        return self._counterfactual[1]

    @cached_property
    def _recomputed(self) -> tuple[list[ServedReason], str]:
        try:
            found = next((each for each in computed(self.slate, EVERY) if each.item_id == self.product.pk), None)
        except NotPossibleError as error:
            return [], error.why
        reasons = found.reasons if found is not None else ()
        named = {pk for reason in reasons for pk in reason.evidence}
        products = final_rows(ids={*named, self.product.pk}) if reasons else {}  # type: ignore[arg-type]
        return [told(reason, self.product.pk, products) for reason in reasons], ""

    @cached_property
    def _counterfactual(self) -> tuple[list[Product], list[Product]]:
        return _rows(*_would_go(self.slate, self.shopper, self.product))


def explain(*, shopper: Shopper | None, slate_id: UUID, product: Product) -> Explanation | None:
    """Why ``product`` is in a list; None where no such list was served to ``shopper``, or it is not in it."""
    slate = own_slate(slate_id=slate_id, shopper_ids=linked_ids(shopper=shopper) if shopper is not None else ())
    item = next((each for each in slate.items if each["product"] == product.pk), None) if slate is not None else None
    return Explanation(item["score"], slate, shopper, product) if item is not None and slate is not None else None


def _would_go(slate: Slate, shopper: Shopper | None, product: Product) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What of the history keeps the item among the best as they are now, and what would come in its place."""
    if slate.placement == "" or not slate.items:
        return (), ()
    first = min(len(slate.items), reco_settings().PAGE_ITEMS)
    try:
        request = asked(known=Known(shopper), placement=slate.placement, first=first)
    except ValueError:
        return (), ()
    if request.strategy != Placement.Strategy.PERSONAL or not request.personal or not len(request.history):
        return (), ()
    model: Hybrid = request.view.models.for_strategy(request.strategy, without=request.spot.switched_off)
    here: dict[str, Any] = {
        "allowed": request.allowed[1],
        "exclude": request.exclude,
        "at": request.at,
        "n_candidates": reco_settings().CANDIDATES,
        "bonus": request.view.points(request.wishes.ruled, request.wishes.favourites),
    }
    best = model.rank(request.history, first, **here)
    if product.pk not in best.item_ids:
        return (), ()
    found = counterfactual(
        model, request.history, product.pk, first, exclude_seen=False, most_items=3, most_ranked=16, **here,
    )  # fmt: skip
    return (found.without, found.instead) if found is not None else ((), ())  # type: ignore[return-value]


def _rows(without: tuple[int, ...], instead: tuple[int, ...]) -> tuple[list[Product], list[Product]]:
    """The rows of both; nothing where a part of what would have to go must not be named: a half is not true."""
    rows = final_rows(ids={*without, *instead}) if without else {}
    named = [rows[pk] for pk in without if pk in rows and rows[pk].open]
    if len(named) < len(without) or any(each.category and each.category.sensitive for each in named):
        return [], []
    return named, [rows[pk] for pk in instead if pk in rows and rows[pk].shown]
