"""Writes to the catalogue, for servers whose key has the scope."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Self

import strawberry
from strawberry.scalars import JSON

from shop_reco.conf import reco_settings
from shop_reco.products import services
from shop_reco.products.services import ProductDraft, RowOutcome, TranslationDraft

from .context import Info
from .errors import ApiError
from .limits.cost import most, rows

CATALOGUE = "catalogue:write"


@strawberry.input
class TranslationInput:
    language: str = strawberry.field(description="As in zh-hans.")
    title: str
    description: str = ""
    keywords: str = strawberry.field(default="", description="More words that the search finds it by.")

    def draft(self) -> TranslationDraft:
        return TranslationDraft(title=self.title, description=self.description, keywords=self.keywords)


@strawberry.input
class ProductInput:
    sku: str
    title: str
    description: str = ""
    category: list[str] = strawberry.field(default_factory=list, description="Names from the root.")
    brand: str = ""
    price: Decimal | None = strawberry.field(default=strawberry.UNSET, description="Left out: as it is.")
    currency: str = ""
    stock: int | None = strawberry.field(default=strawberry.UNSET, description="Null: not counted. Left out: as it is.")
    visible: bool | None = strawberry.field(default=strawberry.UNSET, description="Left out: as it is.")
    parent_sku: str = strawberry.field(default="", description="Of a variant: the product that lists show.")
    attributes: JSON | None = None
    translations: list[TranslationInput] = strawberry.field(default_factory=list)
    updated_at: dt.datetime | None = strawberry.field(
        default=None, description="When this was so by your clock; an older account changes nothing. Null: now."
    )

    def draft(self) -> ProductDraft:
        given = {name: getattr(self, name) for name in ("price", "stock", "visible")}
        unsaid = frozenset(name for name, value in given.items() if value is strawberry.UNSET)
        attributes: Any = self.attributes
        return ProductDraft(
            sku=self.sku,
            title=self.title,
            description=self.description,
            category=tuple(self.category),
            brand=self.brand,
            currency=self.currency,
            parent_sku=self.parent_sku,
            attributes={} if attributes is None else attributes,
            translations={each.language: each.draft() for each in self.translations},
            updated_at=self.updated_at,
            unsaid=unsaid,
            **{name: value for name, value in given.items() if name not in unsaid},
        )


@strawberry.type
class RowRejection:
    index: int
    sku: str
    code: str
    field: str
    message: str


@strawberry.type
class CataloguePayload:
    stored: int
    stale: int = strawberry.field(description="Rows of which as new or newer is known.")
    rejected: list[RowRejection] = strawberry.field(metadata=most(10))

    @classmethod
    def of(cls, outcomes: list[RowOutcome]) -> Self:
        states = [outcome.state for outcome in outcomes]
        return cls(
            stored=states.count(services.State.STORED),
            stale=states.count(services.State.STALE),
            rejected=[
                RowRejection(index=each.index, sku=each.sku, code=each.code, field=each.field, message=each.message)
                for each in outcomes
                if each.state is services.State.REJECTED
            ],
        )


@strawberry.type
class CatalogueMutation:
    @strawberry.mutation(
        description="Create or update products by sku; good rows beside bad ones are kept.", metadata=rows("products")
    )
    def upsert_products(self, info: Info, products: list[ProductInput]) -> CataloguePayload:
        info.context.need_key(CATALOGUE)
        _bound(len(products))
        return CataloguePayload.of(services.upsert_products(rows=[each.draft() for each in products]))

    @strawberry.mutation(
        description="Hide products for good; only a newer upsert brings one back.", metadata=rows("skus")
    )
    def delete_products(self, info: Info, skus: list[str], deleted_at: dt.datetime | None = None) -> CataloguePayload:
        info.context.need_key(CATALOGUE)
        _bound(len(skus))
        return CataloguePayload.of(services.delete_products(skus=skus, at=deleted_at))


def _bound(n: int) -> None:
    most = reco_settings().UPSERT_ROWS
    if n > most:
        raise ApiError("BATCH_TOO_LARGE", f"{n} rows; send {most} at most in one call")
