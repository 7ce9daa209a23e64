"""Rows of the catalogue to the database: merged with what is known, in bulk, under one revision."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Self

from django.db.models import F
from django.utils.text import slugify

from shop_reco.conf import reco_settings

from . import merging
from .drafts import SEPARATOR, CheckedRow
from .errors import ProductError
from .models import Brand, CatalogueState, Category, Product, ProductTranslation


class State(enum.StrEnum):
    """What became of a row."""

    STORED = "stored"
    STALE = "stale"
    """What is known is as new or newer; nothing changed."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What became of the row at ``index``; a rejected one says which field is wrong, and how."""

    index: int
    sku: str
    state: State
    code: str = ""
    field: str = ""
    message: str = ""

    @classmethod
    def rejected(cls, index: int, sku: object, error: ProductError) -> Self:
        # as every database and log can keep it: the sku may be what is wrong
        named = sku.encode(errors="replace").decode().replace("\x00", "?")[:64] if isinstance(sku, str) else ""
        return cls(
            index=index,
            sku=named,
            state=State.REJECTED,
            code=error.code,
            field=error.field,
            message=error.message,
        )


def queue() -> None:
    """Wait for the other writers of the catalogue, until whose transactions have ended."""
    CatalogueState.objects.select_for_update().get_or_create(pk=1)


def next_revision() -> int:
    """Count one more change; concurrent writers wait here until this transaction ends."""
    CatalogueState.objects.get_or_create(pk=1)
    CatalogueState.objects.filter(pk=1).update(revision=F("revision") + 1)
    return CatalogueState.objects.values_list("revision", flat=True).get(pk=1)


def _free_slug(name: str, path: str) -> str:
    base = slugify(name, allow_unicode=True)[:100] or "category"
    slug, n = base, 1
    while Category.objects.filter(slug=slug).exclude(path=path).exists():
        n += 1
        slug = f"{base}-{n}"
    return slug


def ensure_category(*, path: tuple[str, ...]) -> Category | None:
    """The category at the end of ``path``, with whatever was missing on the way; None for an empty path.

    What is new below a sensitive category is sensitive too.
    """
    node: Category | None = None
    for depth in range(1, len(path) + 1):
        joined = " > ".join(path[:depth])
        found = Category.objects.filter(path=joined).first()
        node = found or Category.objects.create(
            name=path[depth - 1],
            parent=node,
            path=joined,
            slug=_free_slug(path[depth - 1], joined),
            sensitive=node is not None and node.sensitive,
        )
    return node


def merged(taken: list[tuple[int, CheckedRow]]) -> dict[int, RowOutcome]:
    """Merge the rows into what is stored; parents first, so that their variants find them."""
    categories, brands = _category_ids({row.category for _, row in taken}), _brand_ids({row.brand for _, row in taken})
    known = by_sku({row.sku for _, row in taken} | {row.parent_sku for _, row in taken if row.parent_sku})
    outcomes: dict[int, RowOutcome] = {}
    for variants in (False, True):
        changed: dict[str, Product] = {}
        for index, row in taken:
            if bool(row.parent_sku) != variants:
                continue
            try:
                parent_id = _parent_id(row, known)
            except ProductError as error:
                outcomes[index] = RowOutcome.rejected(index, row.sku, error)
                continue
            row.said["described_at"] |= {
                "category_id": categories.get(SEPARATOR.join(row.category)),
                "brand_id": brands.get(row.brand),
                "parent_id": parent_id,
            }
            product = known.setdefault(row.sku, Product(sku=row.sku, currency=reco_settings().CURRENCY))
            told, lifted = merging.told(product, row.said, row.at), merging.revived(product, row.at)
            if told or lifted:
                changed[row.sku] = product
            stored = told and product.deleted_at is None
            outcomes[index] = RowOutcome(index=index, sku=row.sku, state=State.STORED if stored else State.STALE)
        write(list(changed.values()))
    for index in _translated([(index, row) for index, row in taken if outcomes[index].state != State.REJECTED], known):
        if known[outcomes[index].sku].deleted_at is None:
            outcomes[index] = replace(outcomes[index], state=State.STORED)
    return outcomes


def _parent_id(row: CheckedRow, known: Mapping[str, Product]) -> int | None:
    if not row.parent_sku:
        return None
    parent, itself = known.get(row.parent_sku), known.get(row.sku)
    if parent is None or parent.pk is None:
        raise ProductError("UNKNOWN_PARENT", "parent_sku", "names an unknown product; import parents first")
    if parent.parent_id is not None:
        raise ProductError("BAD_PARENT", "parent_sku", "names a product that is a variant itself")
    if itself is not None and itself.pk is not None and itself.variants.exists():
        raise ProductError("BAD_PARENT", "parent_sku", "cannot be given to a product that has variants itself")
    return parent.pk


def by_sku(skus: Collection[str]) -> dict[str, Product]:
    return Product.objects.in_bulk(sorted(skus), field_name="sku")


def _category_ids(paths: Collection[tuple[str, ...]]) -> dict[str, int]:
    joined = {SEPARATOR.join(path): path for path in paths if path}
    found = Category.objects.in_bulk(sorted(joined), field_name="path")
    ids = {path: category.pk for path, category in found.items()}
    for missing in sorted(joined.keys() - ids.keys()):
        if (category := ensure_category(path=joined[missing])) is not None:
            ids[missing] = category.pk
    return ids


def _brand_ids(names: Collection[str]) -> dict[str, int]:
    wanted = sorted(name for name in names if name)
    known = Brand.objects.in_bulk(wanted, field_name="name")
    missing = [Brand(name=name) for name in wanted if name not in known]
    if missing:
        Brand.objects.bulk_create(missing, ignore_conflicts=True)
        known = Brand.objects.in_bulk(wanted, field_name="name")
    return {name: brand.pk for name, brand in known.items()}


WRITTEN = (
    *(column.removesuffix("_id") for columns in merging.CLOCKS.values() for column in columns),
    *merging.CLOCKS, "deleted_at", "revision", "updated_at",
)  # fmt: skip


def write(products: list[Product]) -> None:
    """Insert or update in bulk, under the next revision; those that were new have their keys then."""
    if not products:
        return
    revision = next_revision()
    drafts = []
    for product in products:
        product.revision = revision
        draft = copy(product)
        # keys that exist would collide before the sku does
        draft.pk, draft.public_id = None, uuid.uuid4()
        drafts.append(draft)
    Product.objects.bulk_create(drafts, update_conflicts=True, unique_fields=["sku"], update_fields=list(WRITTEN))
    fresh = [product for product in products if product.pk is None]
    stored = dict(Product.objects.filter(sku__in=[product.sku for product in fresh]).values_list("sku", "pk"))
    for product in fresh:
        product.pk = stored[product.sku]


def _translated(taken: list[tuple[int, CheckedRow]], known: Mapping[str, Product]) -> set[int]:
    """Store what the rows say in other languages, where it is as new as what is known; returns whose was."""
    speaking = [(index, row) for index, row in taken if row.translations]
    if not speaking:
        return set()
    ids = {known[row.sku].pk for _, row in speaking}
    rows = {
        (each.product_id, each.language): each for each in ProductTranslation.objects.filter(product__in=sorted(ids))
    }
    changed: dict[tuple[int, str], ProductTranslation] = {}
    heard: set[int] = set()
    for index, row in speaking:
        for language, texts in row.translations.items():
            key = (known[row.sku].pk, language)
            before = rows.get(key)
            if before is not None and row.at < before.said_at:
                continue
            rows[key] = changed[key] = ProductTranslation(product_id=key[0], language=language, said_at=row.at, **texts)
            heard.add(index)
    ProductTranslation.objects.bulk_create(
        list(changed.values()),
        update_conflicts=True,
        unique_fields=["product", "language"],
        update_fields=["title", "description", "keywords", "said_at"],
    )
    return heard
