"""The types of the schema, but for lists; the names are those that storefronts rely on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Self, cast
from urllib.parse import quote

import strawberry
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, override

from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.privacy.exports import data_of
from shop_reco.privacy.models import Export as PrivateExport
from shop_reco.products import models
from shop_reco.recommendations.models import Feedback, Slate
from shop_reco.users.models import Consent, ShopperLink
from shop_reco.users.models import ConsentStatement as StatementRow

from .ids import global_id
from .limits.cost import most
from .rows import rows


def enum_of(name: str, values: Sequence[str], description: str) -> Any:
    """An enum of the schema, its names the values in upper case."""
    made = cast("type[Enum]", Enum(name, {value.upper(): value for value in values}))
    return strawberry.enum(made, name=name, description=description)


EventType: Any = enum_of("EventType", Event.Type.values, "What a shopper did.")
Channel: Any = enum_of("Channel", Event.Channel.values, "Where they did it.")
FeedbackKind: Any = enum_of("FeedbackKind", Feedback.Kind.values, "What a shopper says of a recommended product.")
Purpose: Any = enum_of("Purpose", Consent.Purpose.values, "What a shopper may allow, each for itself.")
Rung: Any = enum_of("Rung", Slate.Rung.values, "How far down the ladder a list came from; PERSONAL is the top.")
PlacedBy: Any = enum_of("PlacedBy", ["SCORE", "RULE", "EXPLORATION", "FILL"], "Why an item is where it is.")
ReasonKind: Any = enum_of("ReasonKind", Slate.ReasonKind.values, "What a term of a score comes from.")


@strawberry.interface(description="Whatever can be asked for again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unlike that of anything else.")


@strawberry.type
class Category:
    name: str
    path: str
    slug: str

    @classmethod
    def of(cls, row: models.Category) -> Self:
        return cls(name=row.name, path=row.path, slug=row.slug)


def _url(pattern: str, row: models.Product, name: str, argument: object) -> str | None:
    """The shop's own address where it has one, else the demo's; None where that is not installed."""
    if pattern:
        language = get_language() or settings.LANGUAGE_CODE
        return pattern.replace("{sku}", quote(row.sku, safe="")).replace("{language}", language)
    try:
        return reverse(f"shop_reco_storefront:{name}", args=[argument])
    except NoReverseMatch:
        return None


@strawberry.type
class Product(Node):
    row: strawberry.Private[models.Product]
    language: strawberry.Private[str | None]
    sku: str
    title: str
    description: str
    price: Decimal | None
    currency: str
    in_stock: bool
    category: Category | None
    brand: str | None

    @strawberry.field
    def url(self) -> str | None:
        with override(self.language):  # a shop may have one address for each
            return _url(reco_settings().PRODUCT_URL, self.row, "product", self.row.public_id)

    @strawberry.field
    def image_url(self) -> str | None:
        shelf = self.row.category.slug if self.row.category else "product"
        return _url(reco_settings().IMAGE_URL, self.row, "picture", shelf)

    @classmethod
    def of(cls, row: models.Product) -> Self:
        return cls(
            row=row,
            language=get_language(),
            id=global_id("Product", row.public_id),
            sku=row.sku,
            title=row.told_title,
            description=row.told_description,
            price=row.price,
            currency=row.currency,
            in_stock=row.stock is None or row.stock > 0,
            category=Category.of(row.category) if row.category else None,
            brand=row.brand.name if row.brand else None,
        )


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None

    @classmethod
    def of(cls, cursors: Sequence[str], *, after: str | None, goes_on: bool) -> Self:
        return cls(
            has_next_page=goes_on,
            has_previous_page=after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


@strawberry.type
class ProductEdge:
    node: Product
    cursor: str


@strawberry.type
class ProductConnection:
    edges: list[ProductEdge]
    page_info: PageInfo


@strawberry.type
class ConsentState:
    purpose: Purpose
    granted: bool
    decided_at: dt.datetime | None = strawberry.field(description="Null before the first decision.")
    source: str = strawberry.field(description="Where it was decided: shop, server, sign-in, import ...")
    version: str = strawberry.field(description="Of the statement that was shown; empty where none was named.")

    @classmethod
    def of(cls, purpose: str, decision: Consent | None) -> Self:
        if decision is None:
            return cls(purpose=Purpose(purpose), granted=False, decided_at=None, source="", version="")
        return cls(
            purpose=Purpose(purpose),
            granted=decision.granted,
            decided_at=decision.decided_at,
            source=decision.source,
            version=decision.text_version,
        )


@strawberry.type(description="What a shopper reads before they decide on a purpose.")
class ConsentStatement:
    purpose: Purpose
    version: str
    language: str = strawberry.field(description="Of the text: the request's, or the nearest that there is.")
    text: str
    since: dt.datetime

    @classmethod
    def of(cls, row: StatementRow) -> Self:
        return cls(
            purpose=Purpose(row.purpose), version=row.version, language=row.language, text=row.text, since=row.since
        )


@strawberry.type(description="Visits from before a sign-in that count as this shopper's.")
class VisitorLink:
    id: strawberry.ID
    linked_at: dt.datetime

    @classmethod
    def of(cls, row: ShopperLink) -> Self:
        return cls(id=global_id("VisitorLink", row.visitor.public_id), linked_at=row.linked_at)


@strawberry.type
class Shopper:
    id: strawberry.ID | None
    known: bool = strawberry.field(description="Whether anything is kept of this shopper.")
    mark: str = strawberry.field(
        description="Tells this shopper from the next one in the same browser; empty while nothing may be kept."
    )
    consents: list[ConsentState] = strawberry.field(metadata=most(3))
    links: list[VisitorLink] = strawberry.field(metadata=most(5))


@rows
@strawberry.input
class EventInput:
    id: uuid.UUID
    type: EventType
    shopper: strawberry.ID | None = None
    product: strawberry.ID | None = None
    sku: str | None = None
    order: str | None = None
    occurred_at: dt.datetime | None = None
    quantity: int | None = None
    price: Decimal | None = None
    currency: str | None = None
    rating: float | None = None
    text: str | None = None
    query: str | None = None
    channel: Channel | None = None
    slate_id: strawberry.ID | None = None


@strawberry.type
class EventRejection:
    index: int
    code: str
    message: str


@strawberry.type
class TrackEventsPayload:
    accepted: int
    duplicates: int
    rejected: list[EventRejection] = strawberry.field(metadata=most(10))


@strawberry.type
class Problem:
    code: str
    field: str
    message: str


@strawberry.input
class FeedbackInput:
    product: strawberry.ID
    kind: FeedbackKind
    slate_id: strawberry.ID | None = None


@strawberry.type
class FeedbackPayload:
    ok: bool
    errors: list[Problem] = strawberry.field(metadata=most(3))


@strawberry.input(description="The statement that the shopper read, as consentStatements gave it.")
class ShownStatement:
    purpose: Purpose
    version: str
    language: str


@strawberry.input
class ConsentInput:
    personalisation: bool | None = None
    training: bool | None = None
    analytics: bool | None = None
    shown: list[ShownStatement] | None = None


@strawberry.type
class ConsentPayload:
    consents: list[ConsentState] = strawberry.field(metadata=most(3))
    errors: list[Problem] = strawberry.field(metadata=most(3))


@strawberry.type
class LinksPayload:
    links: list[VisitorLink] = strawberry.field(metadata=most(5))
    errors: list[Problem] = strawberry.field(metadata=most(3))


@strawberry.type
class ExportPayload:
    url: str | None = strawberry.field(
        description="A zip file with a page to read, JSON and CSV; for this shopper, good once and not for long. "
        "HEAD tells whether it is ready: 200, or 202 while it is made."
    )
    ready: bool = strawberry.field(description="Whether the file is there already.")
    errors: list[Problem] = strawberry.field(metadata=most(3))
    made: strawberry.Private[PrivateExport | None] = None

    @strawberry.field(description="All that is stored, as one JSON document; null while the file is made.")
    def json(self) -> str | None:
        return data_of(export=self.made) if self.made is not None and self.ready else None


@strawberry.type
class ErasePayload:
    receipt: strawberry.ID | None
    receipt_url: str | None = strawberry.field(description="The signed receipt, which names nobody.")
    errors: list[Problem] = strawberry.field(metadata=most(3))
