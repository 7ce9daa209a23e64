"""Lists with their reasons: one, or several of a page at once, and one item explained to the end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

import strawberry

from shop_reco.conf import reco_settings
from shop_reco.products import models, selectors
from shop_reco.recommendations import serving
from shop_reco.recommendations.errors import BadCursorError, BadPageError, UnknownPlacementError
from shop_reco.recommendations.serving import Adjustments, Served

from .context import Info
from .errors import ApiError, check
from .filter_types import ProductFilterInput
from .ids import public_id_of
from .languages import spoken
from .limits.cost import A_LIST, AN_EXPLANATION, AN_ITEM, given, pages, work
from .list_types import (
    Explanation,
    RecommendationConnection,
    RecommendationContext,
    RecommendationPolicy,
    RecommendationRequest,
    RecommendationTuning,
)

CODES = {BadPageError: "BAD_PAGE", BadCursorError: "BAD_CURSOR", UnknownPlacementError: "NOT_FOUND"}
LISTS = "lists:read"
MOST_PRODUCTS, MOST_EXCLUDED, MOST_LISTS = 20, 200, 10


def find_product(value: str) -> models.Product:
    """The product with this global id; raises ApiError NOT_FOUND."""
    product = selectors.product_by_public_id(public_id=public_id_of("Product", value))
    if product is None:
        raise ApiError("NOT_FOUND", "there is no product with this id")
    return product


def find_products(field: str, values: Sequence[strawberry.ID], *, most: int = MOST_PRODUCTS) -> list[models.Product]:
    """The products with these global ids, in order; one query; raises ApiError."""
    if len(values) > most:
        raise ApiError("BAD_VALUE", f"{field} may have {most} ids at most")
    if not values:
        return []
    names = [public_id_of("Product", value) for value in values]
    found = {row.public_id: row for row in selectors.products_by_public_id(public_ids=names)}
    if len(found) < len(set(names)):
        raise ApiError("NOT_FOUND", "there is no product with this id")
    return [found[name] for name in names]


def _excluded(values: Sequence[strawberry.ID]) -> frozenset[int]:
    """Keys of products that are not wanted; what is not there needs no excluding. One query."""
    if len(values) > MOST_EXCLUDED:
        raise ApiError("BAD_VALUE", f"context.exclude may have {MOST_EXCLUDED} ids at most")
    names = [public_id_of("Product", value) for value in values]
    rows = selectors.products_by_public_id(public_ids=names) if names else ()
    return frozenset(row.parent_id or row.pk for row in rows)


def connection(make: Callable[[], Served], after: str | None = None) -> RecommendationConnection:
    """Serve a list, with what the client did wrong as typed errors."""
    return RecommendationConnection.of(served(make), after)


def served(make: Callable[[], Served]) -> Served:
    """Raises ApiError."""
    try:
        return make()
    except tuple(CODES) as error:
        raise ApiError(CODES[type(error)], str(error)) from None


def asking(info: Info) -> dict[str, Any]:
    """Who a list is for, and what other lists of the page read of them already."""
    return {"shopper": info.context.shopper, "known": info.context.known}


def listed(
    info: Info,
    asked: RecommendationRequest,
    *,
    after: str | None = None,
    not_again: Collection[int] = (),
) -> Served:
    """The list of a placement.

    Args:
        not_again: Keys of products that are on the page already.
    """
    context, tuning = asked.context or RecommendationContext(), asked.tuning or RecommendationTuning()
    check(placement=asked.placement, after=after)
    tuning.check()
    adjusted = Adjustments(
        exclude=_excluded(context.exclude or ()).union(not_again),
        diversity=tuning.diversity,
        explore=tuning.exploration,
        least_score=tuning.minimum_score,
        told=context.told(),
    )
    products = find_products("context.products", context.products or ())
    wish = asked.filter.wish() if asked.filter else None
    return served(
        lambda: serving.recommend_for(
            **asking(info), placement=asked.placement, first=asked.first,
            after=after, filter=wish, products=products, adjusted=adjusted,
        )
    )  # fmt: skip


def _spoken_as(asked: RecommendationRequest) -> AbstractContextManager[None]:
    """In the language that a list is asked for in; raises ApiError BAD_VALUE."""
    return spoken(asked.context.locale if asked.context else None)


@strawberry.type
class ListQuery:
    @strawberry.field(description="What decides the lists of whoever asks, most important first.")
    def recommendation_policy(self, info: Info) -> RecommendationPolicy:
        info.context.need(LISTS)
        return RecommendationPolicy.of(serving.policy_for(shopper=info.context.shopper))

    @strawberry.field(
        description="What to show this shopper in this placement, best first.", metadata=work(A_LIST, each=AN_ITEM)
    )
    def recommendations(
        self,
        info: Info,
        placement: str = "home",
        first: int = 10,
        after: str | None = None,
        filter: ProductFilterInput | None = None,
        context: RecommendationContext | None = None,
        tuning: RecommendationTuning | None = None,
    ) -> RecommendationConnection:
        info.context.need(LISTS)
        asked = RecommendationRequest(placement=placement, first=first, filter=filter, context=context, tuning=tuning)
        with _spoken_as(asked):
            return RecommendationConnection.of(listed(info, asked, after=after), after)

    @strawberry.field(
        description="The lists of a page in one call, in order; no product is in two of them.",
        metadata=pages("requests") | work(A_LIST, each=AN_ITEM),
    )
    def recommendations_for(self, info: Info, requests: list[RecommendationRequest]) -> list[RecommendationConnection]:
        if len(requests) > MOST_LISTS:
            raise ApiError("BAD_VALUE", f"requests may have {MOST_LISTS} lists at most")
        lists, not_again = list[RecommendationConnection](), set[int]()
        for asked in requests:
            info.context.need(LISTS)
            with _spoken_as(asked):
                made = listed(info, asked, not_again=not_again)
                lists.append(RecommendationConnection.of(made))
            not_again |= {edge.product.pk for edge in made.edges}
        return lists

    @strawberry.field(
        description="Some products, those of a search or a shelf, in this shopper's own order: what is likely to be "
        "wanted first, the rest as it was given.",
        metadata=given("products") | work(A_LIST, each=AN_ITEM),
    )
    def reordered(
        self, info: Info, products: list[strawberry.ID], first: int | None = None, after: str | None = None
    ) -> RecommendationConnection:
        info.context.need(LISTS)
        if not products:
            raise ApiError("BAD_VALUE", "products must name at least one")
        found = find_products("products", products, most=reco_settings().PAGE_ITEMS)
        check(after=after)
        return connection(lambda: serving.reordered(**asking(info), products=found, first=first, after=after), after)

    @strawberry.field(metadata=work(A_LIST, each=AN_ITEM))
    def similar_products(
        self, info: Info, product: strawberry.ID, first: int = 10, filter: ProductFilterInput | None = None
    ) -> RecommendationConnection:
        info.context.need(LISTS)
        found, wish = find_product(product), filter.wish() if filter else None
        return connection(lambda: serving.similar_to(**asking(info), product=found, first=first, filter=wish))

    @strawberry.field(metadata=work(A_LIST, each=AN_ITEM))
    def bought_together(self, info: Info, products: list[strawberry.ID], first: int = 10) -> RecommendationConnection:
        info.context.need(LISTS)
        found = find_products("products", products)
        return connection(lambda: serving.bought_together(**asking(info), products=found, first=first))

    @strawberry.field(metadata=work(A_LIST, each=AN_ITEM))
    def buy_again(self, info: Info, first: int = 10) -> RecommendationConnection:
        info.context.need(LISTS)
        return connection(lambda: serving.buy_again_for(**asking(info), first=first))

    @strawberry.field(metadata=work(A_LIST, each=AN_ITEM))
    def trending(
        self, info: Info, first: int = 10, filter: ProductFilterInput | None = None
    ) -> RecommendationConnection:
        info.context.need(LISTS)
        asked = RecommendationRequest(placement="trending", first=first, filter=filter)
        return RecommendationConnection.of(listed(info, asked))

    @strawberry.field(
        description="Why a product is in a list of this shopper, to the end; null where it is not.",
        metadata=work(AN_EXPLANATION),
    )
    def explain(self, info: Info, slate_id: strawberry.ID, product: strawberry.ID) -> Explanation | None:
        info.context.need(LISTS)
        try:
            name = uuid.UUID(slate_id)
        except ValueError:
            raise ApiError("BAD_ID", "slateId must be a UUID") from None
        found = serving.explain(shopper=info.context.shopper, slate_id=name, product=find_product(product))
        return Explanation.of(found) if found is not None else None


def check_page(first: int) -> None:
    """Raises ApiError BAD_PAGE."""
    if not 1 <= first <= reco_settings().PAGE_ITEMS:
        raise ApiError("BAD_PAGE", f"first must lie between 1 and {reco_settings().PAGE_ITEMS}, not {first}")
