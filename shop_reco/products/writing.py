"""Rows of the catalogue to the database: merged with what is known, in bulk, under one revision."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Mapping, Sequence
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


def _free_slugs(names: Sequence[str]) -> list[str]:
    """A slug that is free for each name, none of them twice; one query, and one more each time that names double."""
    bases = [slugify(name, allow_unicode=True)[:100] or "category" for name in names]
    taken, slugs = set[str](), list[str]()
    looked, most = 0, 8
    while bases and len(slugs) < len(bases):
        asked = {_numbered(base, n) for base in bases for n in range(looked + 1, most + 1)}
        taken.update(Category.objects.filter(slug__in=sorted(asked)).values_list("slug", flat=True))
        used, slugs = set(taken), []
        for base in bases:
            slug = next((each for n in range(1, most + 1) if (each := _numbered(base, n)) not in used), None)
            if slug is None:
                break
            used.add(slug)
            slugs.append(slug)
        looked, most = most, 2 * most
    return slugs


def _numbered(base: str, n: int) -> str:
    return base if n == 1 else f"{base}-{n}"


def ensure_category(*, path: tuple[str, ...]) -> Category | None:
    """The category at the end of ``path``, with whatever was missing on the way; None for an empty path."""
    return ensure_categories(paths=[path]).get(path)


def ensure_categories(*, paths: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], Category]:
    """The category at the end of each path, with whatever was missing on the way; an empty path has none.

    One query for each depth, three where something is missing. What is new below a sensitive category is sensitive too.
    """
    nodes: dict[tuple[str, ...], Category] = {}
    for depth in range(1, max(map(len, paths), default=0) + 1):
        wanted = {SEPARATOR.join(path[:depth]): path[:depth] for path in paths if len(path) >= depth}
        known = Category.objects.in_bulk(sorted(wanted), field_name="path")
        nodes |= {wanted[joined]: category for joined, category in known.items()}
        missing = sorted(wanted.keys() - known.keys())
        fresh = [
            Category(
                name=path[-1],
                parent=above,
                path=joined,
                slug=slug,
                sensitive=above is not None and above.sensitive,
            )
            for joined, slug in zip(missing, _free_slugs([wanted[joined][-1] for joined in missing]), strict=True)
            for path in [wanted[joined]]
            for above in [nodes.get(path[:-1])]
        ]
        nodes |= {wanted[category.path]: category for category in Category.objects.bulk_create(fresh)}
    return {path: nodes[path] for path in paths if path}


def merged(taken: list[tuple[int, CheckedRow]]) -> dict[int, RowOutcome]:
    """Merge the rows into what is stored; parents first, so that their variants find them."""
    categories, brands = _category_ids({row.category for _, row in taken}), _brand_ids({row.brand for _, row in taken})
    known = by_sku({row.sku for _, row in taken} | {row.parent_sku for _, row in taken if row.parent_sku})
    outcomes: dict[int, RowOutcome] = {}
    for variants in (False, True):
        parents = _with_variants({row.sku for _, row in taken if row.parent_sku}, known) if variants else set()
        changed: dict[str, Product] = {}
        for index, row in taken:
            if bool(row.parent_sku) != variants:
                continue
            try:
                parent_id = _parent_id(row, known, parents)
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


def _with_variants(skus: Collection[str], known: Mapping[str, Product]) -> set[int]:
    """Primary keys of those that are there already and have variants; one query, none where none is there."""
    there = [known[sku].pk for sku in skus if sku in known]
    if not there:
        return set()
    return set(Product.objects.filter(parent__in=there).values_list("parent_id", flat=True))


def _parent_id(row: CheckedRow, known: Mapping[str, Product], parents: Collection[int]) -> int | None:
    if not row.parent_sku:
        return None
    parent, itself = known.get(row.parent_sku), known.get(row.sku)
    if parent is None or parent.pk is None:
        raise ProductError("UNKNOWN_PARENT", "parent_sku", "names an unknown product; import parents first")
    if parent.parent_id is not None:
        raise ProductError("BAD_PARENT", "parent_sku", "names a product that is a variant itself")
    if itself is not None and itself.pk in parents:
        raise ProductError("BAD_PARENT", "parent_sku", "cannot be given to a product that has variants itself")
    return parent.pk


def by_sku(skus: Collection[str]) -> dict[str, Product]:
    return Product.objects.in_bulk(sorted(skus), field_name="sku")


def _category_ids(paths: Collection[tuple[str, ...]]) -> dict[str, int]:
    joined = {SEPARATOR.join(path): path for path in paths if path}
    found = Category.objects.in_bulk(sorted(joined), field_name="path")
    ids = {path: category.pk for path, category in found.items()}
    missing = ensure_categories(paths=[joined[path] for path in joined.keys() - ids.keys()])
    return ids | {category.path: category.pk for category in missing.values()}


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
