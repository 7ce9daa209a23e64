"""The types of the schema; the names are those that storefronts rely on."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Self, cast

import strawberry
from django.urls import NoReverseMatch, reverse

from shop_reco.events.models import Event
from shop_reco.privacy.exports import data_of
from shop_reco.privacy.models import Export as PrivateExport
from shop_reco.products import models
from shop_reco.products.selectors import ProductFilter
from shop_reco.recommendations.models import Feedback, Slate
from shop_reco.recommendations.serving import Explanation as Explained
from shop_reco.recommendations.serving import Parameter, Policy, Served, ServedEdge, ServedReason
from shop_reco.users.models import Consent, ShopperLink
from shop_reco.users.models import ConsentStatement as StatementRow

from .errors import GREATEST, ApiError, check
from .limits.cost import most
from .rows import rows

LONGEST_TOLD = 256


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


def global_id(name: str, public_id: uuid.UUID) -> strawberry.ID:
    return strawberry.ID(base64.urlsafe_b64encode(f"{name}:{public_id.hex}".encode()).decode())


def kind_of(value: str) -> str:
    """What a global id is the id of; empty where it is none."""
    try:
        return base64.urlsafe_b64decode(value.encode()).decode().partition(":")[0]
    except (ValueError, binascii.Error, UnicodeError):
        return ""


def number_of(name: str, value: str) -> int:
    """Read the id of a row that only staff see.

    Raises:
        ApiError: BAD_ID, if it is not one of ``name``.
    """
    try:
        kind, _, number = base64.urlsafe_b64decode(value.encode()).decode().partition(":")
        if kind == name and number.isascii() and number.isdecimal() and len(number) < 19:
            return int(number)
    except (ValueError, binascii.Error, UnicodeError, AttributeError):
        pass
    raise ApiError("BAD_ID", f"not the id of a {name}")


def public_id_of(name: str, value: str) -> uuid.UUID:
    """Read a global id back.

    Raises:
        ApiError: BAD_ID, if it is not one of ``name``.
    """
    try:
        kind, _, public_id = base64.urlsafe_b64decode(value.encode()).decode().partition(":")
        if kind == name:
            return uuid.UUID(public_id)
    except (ValueError, binascii.Error, UnicodeError, AttributeError):
        pass
    raise ApiError("BAD_ID", f"not the id of a {name}")


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


def _url(name: str, argument: object) -> str | None:
    try:
        return reverse(f"shop_reco_storefront:{name}", args=[argument])
    except NoReverseMatch:
        return None


@strawberry.type
class Product(Node):
    row: strawberry.Private[models.Product]
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
        return _url("product", self.row.public_id)

    @strawberry.field
    def image_url(self) -> str | None:
        return _url("picture", self.row.category.slug if self.row.category else "product")

    @classmethod
    def of(cls, row: models.Product) -> Self:
        return cls(
            row=row,
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


@strawberry.type(description="One term of a score.")
class Reason:
    kind: ReasonKind
    text: str
    points: float = strawberry.field(description="Score units; the terms of an edge sum to its score.")
    rows: strawberry.Private[list[models.Product]]

    @strawberry.field(metadata=most(3))
    def evidence(self) -> list[Product]:
        return [Product.of(row) for row in self.rows]

    @classmethod
    def of(cls, reason: ServedReason) -> Self:
        return cls(
            kind=ReasonKind(reason.kind),
            text=reason.text,
            points=reason.points,
            rows=reason.evidence,
        )


@strawberry.type
class RecommendationEdge:
    node: Product
    cursor: str
    rank: int
    score: float
    placed_by: PlacedBy = strawberry.field(
        description="By its score, by a rule of the shop, on trial, or to fill a place that was left."
    )
    reasons: list[Reason] = strawberry.field(metadata=most(6))

    @classmethod
    def of(cls, edge: ServedEdge) -> Self:
        return cls(
            node=Product.of(edge.product),
            cursor=edge.cursor,
            rank=edge.rank,
            score=edge.score,
            placed_by=PlacedBy(edge.placed_by),
            reasons=[Reason.of(reason) for reason in edge.reasons],
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
class RecommendationConnection:
    slate_id: strawberry.ID
    personalised: bool
    rung: Rung = strawberry.field(description="How far down the ladder the list came from.")
    edges: list[RecommendationEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, served: Served, after: str | None = None) -> Self:
        cursors = [edge.cursor for edge in served.edges]
        return cls(
            slate_id=strawberry.ID(str(served.slate_id)),
            personalised=served.personalised,
            rung=Rung(served.rung),
            edges=[RecommendationEdge.of(edge) for edge in served.edges],
            page_info=PageInfo.of(cursors, after=after, goes_on=served.has_next_page),
        )


@strawberry.type
class Explanation:
    score: float
    terms: list[Reason] = strawberry.field(metadata=most(30))
    gone: str
    without: list[Product] = strawberry.field(metadata=most(3))
    instead: list[Product] = strawberry.field(metadata=most(3))

    @classmethod
    def of(cls, explained: Explained) -> Self:
        return cls(
            score=explained.score,
            terms=[Reason.of(term) for term in explained.terms],
            gone=explained.gone,
            without=[Product.of(row) for row in explained.without],
            instead=[Product.of(row) for row in explained.instead],
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


@strawberry.type(description="One thing that decides what the lists show.")
class PolicyParameter:
    name: str
    weight: float | None = strawberry.field(description="Its share of a score, 0 to 1; null where it has none.")
    text: str = strawberry.field(description="In plain words, in the language of the request.")

    @classmethod
    def of(cls, row: Parameter) -> Self:
        return cls(name=row.name, weight=row.weight, text=row.text)


@strawberry.type(description="What decides the lists of whoever asks, from the settings in force.")
class RecommendationPolicy:
    personalised: bool
    parameters: list[PolicyParameter] = strawberry.field(metadata=most(15))

    @classmethod
    def of(cls, policy: Policy) -> Self:
        return cls(
            personalised=policy.personalised, parameters=[PolicyParameter.of(each) for each in policy.parameters]
        )


@strawberry.input(name="ProductFilter")
class ProductFilterInput:
    category: str | None = None
    brand: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool | None = None

    def wish(self) -> ProductFilter:
        """Raises ApiError BAD_VALUE."""
        check(category=self.category, brand=self.brand, priceMin=self.price_min, priceMax=self.price_max)
        return ProductFilter(
            category=self.category,
            brand=self.brand,
            price_min=self.price_min,
            price_max=self.price_max,
            in_stock=self.in_stock,
        )


@strawberry.input
class RecommendationContext:
    products: list[strawberry.ID] | None = None
    exclude: list[strawberry.ID] | None = None
    page: str | None = None
    device: str | None = None
    channel: Channel | None = None

    def told(self) -> tuple[tuple[str, str], ...]:
        """Where the list is shown; raises ApiError BAD_VALUE."""
        check(page=self.page, device=self.device)
        said = {"page": self.page, "device": self.device, "channel": self.channel and self.channel.value}
        for name, value in said.items():
            if value is not None and len(value) > LONGEST_TOLD:
                raise ApiError("BAD_VALUE", f"context.{name} may have {LONGEST_TOLD} characters at most")
        return tuple((name, value) for name, value in said.items() if value)


@strawberry.input
class RecommendationTuning:
    diversity: float | None = None
    exploration: bool = True
    minimum_score: float | None = None

    def check(self) -> None:
        """Raises ApiError BAD_VALUE."""
        if self.diversity is not None and not 0 <= self.diversity <= 1:
            raise ApiError("BAD_VALUE", "tuning.diversity must lie between 0 and 1")
        if self.minimum_score is not None and not abs(self.minimum_score) < GREATEST:
            raise ApiError("BAD_VALUE", f"tuning.minimumScore must be a number below {GREATEST}")


@strawberry.input
class RecommendationRequest:
    placement: str = "home"
    first: int = 10
    filter: ProductFilterInput | None = None
    context: RecommendationContext | None = None
    tuning: RecommendationTuning | None = None


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
