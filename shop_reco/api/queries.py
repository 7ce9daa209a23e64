"""Reads: each translates to one call of a selector or of serving."""

from __future__ import annotations

import strawberry
from django.conf import settings
from django.utils.translation import get_language

from shop_reco.portraits.reading import events_behind, portrait_of
from shop_reco.products import selectors
from shop_reco.products.filters import ProductFilter, filtered
from shop_reco.users.models import Consent
from shop_reco.users.models import Shopper as Person
from shop_reco.users.selectors import decisions_of, links_of, statements_in_force

from .context import Info
from .errors import ApiError, check
from .filter_types import ProductFilterInput
from .ids import global_id, public_id_of
from .languages import spoken
from .limits.cost import A_FILTER, A_LIST, A_PAST_EVENT, A_SEARCH, most, work
from .lists import LISTS, check_page
from .portrait_types import Portrait, PortraitEvidence
from .types import (
    Category,
    ConsentState,
    ConsentStatement,
    PageInfo,
    Product,
    ProductConnection,
    ProductEdge,
    Shopper,
    VisitorLink,
)

MOST_CATEGORIES = 1000
"""Of a larger tree, level by level is the way."""


def consent_states(shopper: Person | None) -> list[ConsentState]:
    decided = decisions_of(shopper=shopper) if shopper is not None else {}
    return [ConsentState.of(purpose, decided.get(purpose)) for purpose in Consent.Purpose.values]


def links(shopper: Person | None) -> list[VisitorLink]:
    return [VisitorLink.of(row) for row in links_of(account=shopper)] if shopper is not None else []


def _page(wish: ProductFilter, search: str | None, first: int, after: str | None) -> ProductConnection:
    """Some products by title; raises ApiError BAD_CURSOR."""
    found = selectors.search_products(text=search) if search else selectors.showable()
    found = filtered(queryset=found, filter=wish).order_by("title", "public_id")
    if after is not None:
        last = selectors.product_by_public_id(public_id=public_id_of("Product", after))
        if last is None:
            raise ApiError("BAD_CURSOR", "the product of this cursor is gone; ask again without after")
        found = selectors.after_product(queryset=found, last=last)
    rows = list(found[: first + 1])
    edges = [ProductEdge(node=Product.of(row), cursor=global_id("Product", row.public_id)) for row in rows[:first]]
    cursors = [edge.cursor for edge in edges]
    return ProductConnection(edges=edges, page_info=PageInfo.of(cursors, after=after, goes_on=len(rows) > first))


@strawberry.type
class Query:
    @strawberry.field(description="Whoever asks.")
    def me(self, info: Info) -> Shopper:
        info.context.begin()
        shopper = info.context.shopper
        return Shopper(
            id=global_id("Shopper", shopper.public_id) if shopper else None,
            known=shopper is not None,
            mark=info.context.identity.mark(),
            consents=consent_states(shopper),
            links=links(shopper),
        )

    @strawberry.field(
        description="What to read before deciding, one for each purpose, in the language of the request.",
        metadata=most(3),
    )
    def consent_statements(self, info: Info) -> list[ConsentStatement]:
        info.context.begin()
        language = get_language() or settings.LANGUAGE_CODE
        return [ConsentStatement.of(row) for row in statements_in_force(language=language)]

    @strawberry.field(description="What is believed of this shopper; null before it was drawn.", metadata=work(A_LIST))
    def portrait(self, info: Info) -> Portrait | None:
        info.context.need(LISTS)
        view = portrait_of(shopper=info.context.shopper) if info.context.shopper else None
        return Portrait.of(view) if view else None

    @strawberry.field(
        description="The events behind one number of the portrait: an interest, an hour, a channel ...",
        metadata=work(A_LIST, each=A_PAST_EVENT),
    )
    def portrait_evidence(self, info: Info, kind: str, key: str, first: int = 50) -> PortraitEvidence | None:
        info.context.need(LISTS)
        check(kind=kind, key=key)
        check_page(first)
        if info.context.shopper is None:
            return None
        try:
            behind = events_behind(shopper=info.context.shopper, kind=kind, key=key, first=first)
        except ValueError as error:
            raise ApiError("BAD_VALUE", str(error)) from None
        return PortraitEvidence.of(behind)

    @strawberry.field
    def product(
        self, info: Info, id: strawberry.ID | None = None, sku: str | None = None, locale: str | None = None
    ) -> Product | None:
        info.context.begin()
        if (id is None) == (sku is None):
            raise ApiError("BAD_ID", "give an id or a sku")
        with spoken(locale):
            if sku is not None:
                check(sku=sku)
                found = selectors.product_by_sku(sku=sku)
            else:
                found = selectors.product_by_public_id(public_id=public_id_of("Product", str(id)))
            return Product.of(found) if found is not None and found.open else None

    @strawberry.field(metadata=work(search=A_SEARCH, filter=A_FILTER))
    def products(
        self,
        info: Info,
        filter: ProductFilterInput | None = None,
        search: str | None = None,
        first: int = 20,
        after: str | None = None,
        locale: str | None = None,
    ) -> ProductConnection:
        info.context.begin()
        check_page(first)
        check(search=search)
        if search is not None and len(search) > 256:
            raise ApiError("BAD_SEARCH", "search may have 256 characters at most")
        wish = filter.wish() if filter is not None else ProductFilter()
        with spoken(locale):
            return _page(wish, search, first, after)

    @strawberry.field(metadata=most(MOST_CATEGORIES))
    def categories(self, info: Info, below: str | None = None) -> list[Category]:
        info.context.begin()
        check(below=below)
        return [Category.of(row) for row in selectors.categories(below=below)[:MOST_CATEGORIES]]
