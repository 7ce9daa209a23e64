"""What can happen to the catalogue; each write moves its revision on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.text import slugify

from shop_reco.conf import reco_settings

from .models import Brand, CatalogueState, Category, Product
from .money import price_from
from .signals import sensitivity_changed


@dataclass(frozen=True, kw_only=True)
class ProductDraft:
    """A product as another system describes it; ``category`` is the path of names from the root."""

    sku: str
    title: str
    description: str = ""
    category: tuple[str, ...] = ()
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    stock: int | None = None
    visible: bool = True
    parent_sku: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    available_from: dt.datetime | None = None
    available_until: dt.datetime | None = None


def _next_revision() -> int:
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


def import_products(*, drafts: Iterable[ProductDraft], batch: int = 2000) -> int:
    """Create or update products by sku, a transaction a batch; returns how many rows were taken.

    A variant must come after its parent, or with it in the catalogue already.

    Raises:
        ValueError: If a parent is unknown or a price cannot be kept; the batches before it are kept.
    """
    rest, taken = iter(drafts), 0
    while chunk := list(islice(rest, batch)):
        taken += _import_batch(chunk)
    return taken


@transaction.atomic
def _import_batch(drafts: list[ProductDraft]) -> int:
    revision, currency = _next_revision(), reco_settings().CURRENCY
    paths = {draft.category for draft in drafts}
    known = dict(Category.objects.values_list("path", "pk"))
    for path in paths:
        if path and " > ".join(path) not in known and (node := ensure_category(path=path)):
            known[node.path] = node.pk
    Brand.objects.bulk_create(
        [Brand(name=name) for name in {d.brand for d in drafts if d.brand}], ignore_conflicts=True
    )
    brands = dict(Brand.objects.values_list("name", "pk"))
    parent_skus = {draft.parent_sku for draft in drafts if draft.parent_sku}
    for variants in (False, True):
        parents = dict(Product.objects.filter(sku__in=parent_skus).values_list("sku", "pk"))
        if variants and (missing := parent_skus - set(parents)):
            raise ValueError(f"parent_sku names unknown products {sorted(missing)[:5]}; import parents first")
        Product.objects.bulk_create(
            [
                Product(
                    sku=draft.sku,
                    title=draft.title,
                    description=draft.description,
                    category_id=known.get(" > ".join(draft.category)),
                    brand_id=brands.get(draft.brand),
                    price=_price_of(draft),
                    currency=draft.currency or currency,
                    stock=draft.stock,
                    visible=draft.visible,
                    parent_id=parents.get(draft.parent_sku),
                    attributes=dict(draft.attributes),
                    available_from=draft.available_from,
                    available_until=draft.available_until,
                    revision=revision,
                )
                for draft in drafts
                if bool(draft.parent_sku) == variants
            ],
            update_conflicts=True,
            unique_fields=["sku"],
            update_fields=[
                "title", "description", "category", "brand", "price", "currency", "stock", "visible", "parent",
                "attributes", "available_from", "available_until", "revision",
            ],
        )  # fmt: skip
    return len(drafts)


def _price_of(draft: ProductDraft) -> Decimal | None:
    try:
        return None if draft.price is None else price_from(draft.price)
    except ValueError as error:
        raise ValueError(f"price of {draft.sku} {error}") from None


@transaction.atomic
def set_sensitive(*, categories: Collection[Category], sensitive: bool) -> int:
    """Mark categories, and all below them, as never to be told of; returns how many changed."""
    chosen = Q(pk__in=[category.pk for category in categories])
    for category in categories:
        chosen |= Q(path__startswith=f"{category.path} > ")
    changed = list(Category.objects.filter(chosen).exclude(sensitive=sensitive).values_list("pk", flat=True))
    if changed:
        _next_revision()
        Category.objects.filter(pk__in=changed).update(sensitive=sensitive)
        sensitivity_changed.send(Category, category_ids=changed)
    return len(changed)


@transaction.atomic
def set_visibility(*, products: Collection[Product], visible: bool) -> int:
    """Show or hide products from the next request on; returns how many."""
    revision = _next_revision()
    return Product.objects.filter(pk__in=[product.pk for product in products]).update(
        visible=visible, revision=revision
    )


@transaction.atomic
def set_stock(*, product: Product, stock: int | None) -> None:
    """Keep how many are left; None is "not counted".

    Raises:
        ValueError: If ``stock`` is below zero.
    """
    if stock is not None and stock < 0:
        raise ValueError(f"stock must be zero or more, not {stock}")
    Product.objects.filter(pk=product.pk).update(stock=stock, revision=_next_revision())


@transaction.atomic
def save_product(*, product: Product) -> None:
    """Store an edited product."""
    product.revision = _next_revision()
    product.full_clean()
    product.save()
