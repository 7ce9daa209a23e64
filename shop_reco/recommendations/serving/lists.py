"""The lists of the shop: who is it for, what may be shown, rank, check once more, say why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reco_engine.types import Recommendation
from shop_reco.measures import list_served, stage
from shop_reco.products.filters import ProductFilter
from shop_reco.products.models import Product
from shop_reco.products.selectors import final_rows
from shop_reco.users.models import Shopper

from ..models import Placement
from .asking import AS_IT_IS, Adjustments, Request, asked
from .known import Known
from .ranking import SPARE, Ranked, ranked
from .recording import slate_for
from .served import Served, ServedEdge
from .slates import buffer
from .texts import EVIDENCE, told

TRIES = 5
"""How often a list is ranked anew because of what was sold or hidden since the shelf was last looked at."""


def recommend_for(
    *,
    shopper: Shopper | None,
    known: Known | None = None,
    placement: str = "home",
    first: int = 10,
    after: str | None = None,
    filter: ProductFilter | None = None,
    products: Sequence[Product] = (),
    adjusted: Adjustments = AS_IT_IS,
) -> Served:
    """A placement's list.

    Args:
        known: What other lists of the page read of the shopper already.

    Raises:
        BadPageError: If ``first`` is out of bounds.
        BadCursorError: If ``after`` is not from one of this shopper's lists.
        UnknownPlacementError: If there is no such placement.
    """
    with stage("list"):
        request = asked(
            known=known or Known(shopper),
            placement=placement,
            first=first,
            after=after,
            narrowing=filter,
            products=[product.parent_id or product.pk for product in products],
            adjusted=adjusted,
        )
        return _served(request, checked(request))


def reordered(
    *,
    shopper: Shopper | None,
    products: Sequence[Product],
    known: Known | None = None,
    first: int | None = None,
    after: str | None = None,
) -> Served:
    """These products in the shopper's own order: what is likely to be wanted first, and the rest as it was given.

    What may not be shown or was refused is left out. Raises BadPageError and BadCursorError.
    """
    given = tuple(dict.fromkeys(product.parent_id or product.pk for product in products))
    adjusted = Adjustments(explore=False, diversity=0.0, only=given)
    n = len(given) if first is None else min(first, len(given))
    return recommend_for(shopper=shopper, known=known, placement="search", first=n, after=after, adjusted=adjusted)


def similar_to(
    *,
    shopper: Shopper | None,
    product: Product,
    known: Known | None = None,
    first: int = 10,
    filter: ProductFilter | None = None,
) -> Served:
    """Products like this one; raises BadPageError."""
    return recommend_for(
        shopper=shopper, known=known, placement="similar", first=first, filter=filter, products=[product]
    )


def bought_together(
    *, shopper: Shopper | None, products: Sequence[Product], known: Known | None = None, first: int = 10
) -> Served:
    """Products that others bought with these; raises BadPageError."""
    return recommend_for(shopper=shopper, known=known, placement="together", first=first, products=products)


def buy_again_for(*, shopper: Shopper | None, known: Known | None = None, first: int = 10) -> Served:
    """What the shopper buys again and again; raises BadPageError."""
    return recommend_for(shopper=shopper, known=known, placement="again", first=first)


@dataclass
class Checked:
    """A ranking whose rows were read: those that may be shown at this moment, in order, and what fills the rest.

    Attributes:
        products: The rows of ``chosen``, and of what their reasons name, by primary key.
    """

    ranking: Ranked
    chosen: list[Recommendation]
    products: dict[int, Any]
    newest: list[Product] = field(default_factory=list)


def checked(request: Request) -> Checked:
    """Read the final rows with the one predicate; the next best takes the place of what must not be shown.

    One query, but for the rare list that lost more than it had to spare, or that is filled with what is newest.
    """
    lost = set[int]()
    for _ in range(TRIES):
        ranking = ranked(request, lost)
        wanted = {int(each.item_id) for each in ranking.items}  # type: ignore[call-overload]
        evidence: set[Any] = {
            pk for each in ranking.items for reason in each.reasons for pk in reason.evidence[:EVIDENCE]
        }
        with stage("rows"):
            products = final_rows(ids=wanted | evidence) if wanted else {}
        shown = {pk for pk in wanted if pk in products and _may_be_shown(request, products[pk])}
        if shown == wanted or len(shown) > request.first:
            break
        lost |= wanted - shown
    least = request.adjusted.least_score
    good = [each for each in ranking.items if least is None or each.score >= least]
    found = Checked(ranking, [each for each in good if each.item_id in shown], products)
    missing = request.first + 1 - len(found.chosen)
    fills = (
        least is None
        and request.discovers
        and request.spot.fallback != Placement.Fallback.NOTHING
        and not ranking.quiet
    )
    if fills and missing > 0:
        fill = _as_given if request.adjusted.only else _newest
        found.newest = fill(request, wanted | lost, missing)
    return found


def _may_be_shown(request: Request, product: Any) -> bool:
    """A row that changed since the shelf was looked at may pass no filter any more; the next request knows."""
    narrowed = request.narrowing is not None and request.narrowing.narrows()
    return bool(product.shown) and not (narrowed and product.revision > request.view.shelf.revision)


def _as_given(request: Request, passed: Collection[int], n: int) -> list[Product]:
    """What is to be put in order and nothing is known of, as it was given; one query."""
    shelf, closed = request.view.shelf, request.exclude.union(passed)
    open_ = frozenset(shelf.ids[request.allowed[0]].tolist()) - closed
    rest = [pk for pk in request.adjusted.only if pk in open_]
    products = final_rows(ids=rest) if rest else {}
    return [products[pk] for pk in rest if pk in products and products[pk].shown][:n]


def _newest(request: Request, passed: Collection[int], n: int) -> list[Product]:
    """The newest products that may be shown and are not ranked; one query."""
    closed = request.exclude.union(passed)
    mask = request.allowed[0].copy()
    mask[request.view.shelf.places(closed)] = False
    newest = request.view.shelf.ids[np.flatnonzero(mask)[-(n + SPARE) :]][::-1].tolist()
    products = final_rows(ids=newest) if newest else {}
    return [products[pk] for pk in newest if pk in products and _may_be_shown(request, products[pk])][:n]


def edges_of(request: Request, found: Checked) -> list[ServedEdge]:
    """The places of the page, each with why."""
    start, ranking = len(request.earlier), found.ranking
    edges = [
        ServedEdge(
            product=found.products[each.item_id],  # type: ignore[index]
            cursor=f"{request.id}:{start + place}",
            rank=start + place,
            score=each.score,
            placed_by=_placed_by(each, ranking),
            reasons=[told(reason, each.item_id, found.products) for reason in each.reasons],  # type: ignore[arg-type]
            propensity=ranking.propensities.get(each.item_id, 1.0),  # type: ignore[call-overload]
        )
        for place, each in enumerate(found.chosen[: request.first], start=1)
    ]
    edges += [
        ServedEdge(product, f"{request.id}:{start + place}", start + place, 0.0, "FILL", [])
        for place, product in enumerate(found.newest, start=len(edges) + 1)
        if place <= request.first
    ]
    return edges


def _served(request: Request, found: Checked) -> Served:
    """Say why, and keep the slate."""
    edges, ranking = edges_of(request, found), found.ranking
    served = Served(
        slate_id=request.id,
        personalised=request.personal and len(request.history) > 0 and bool(found.chosen),
        rung=_rung(request, bool(found.chosen)),
        edges=edges,
        has_next_page=len(found.chosen) + len(found.newest) > request.first or (ranking.later and bool(edges)),
    )
    list_served(strategy=request.strategy, rung=served.rung, n_items=len(served.edges))
    with stage("slate"):
        buffer.put(slate_for(request, ranking, served))
    return served


def _placed_by(item: Recommendation, ranking: Ranked) -> str:
    if item.item_id in ranking.pinned:
        return "RULE"
    if item.item_id in ranking.tried:
        return "EXPLORATION"
    return "RULE" if any(reason.kind == "rule" for reason in item.reasons) else "SCORE"


def _rung(request: Request, any_ranked: bool) -> str:
    if not any_ranked:
        return "NEWEST"
    if request.view.models.degraded:
        return "LAST_GOOD"
    return "PERSONAL" if request.personal and len(request.history) else "POPULAR"
