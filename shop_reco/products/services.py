"""What can happen to the catalogue; each write moves its revision on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shop_reco.conf import reco_settings

from . import merging
from .drafts import (
    CheckedRow,
    ProductDraft,
    TranslationDraft,
    checked,
    currency_of,
    moment_of,
    price_of,
    sku_of,
    stock_of,
)
from .errors import ProductError
from .models import Category, Product
from .signals import sensitivity_changed
from .writing import RowOutcome, State, by_sku, ensure_category, merged, next_revision, queue, write

__all__ = [
    "ProductDraft", "RowOutcome", "State", "TranslationDraft", "delete_products", "ensure_category",
    "import_products", "queue", "save_product", "set_price", "set_sensitive", "set_stock", "set_visibility",
    "upsert_products",
]  # fmt: skip


def import_products(*, drafts: Iterable[ProductDraft], batch: int = 2000) -> int:
    """Create or update products by sku, a transaction a batch; returns how many rows were taken.

    A variant must come after its parent, or with it in the catalogue already.

    Raises:
        ValueError: If a row cannot be stored, naming its sku and field; the batches before it are kept.
    """
    rest, taken = iter(drafts), 0
    while chunk := list(islice(rest, batch)):
        with transaction.atomic():
            for outcome in upsert_products(rows=chunk):
                if outcome.state is State.REJECTED:
                    raise ValueError(f"{outcome.field} of {outcome.sku} {outcome.message}")
        taken += len(chunk)
    return taken


@transaction.atomic
def upsert_products(*, rows: Sequence[ProductDraft]) -> list[RowOutcome]:
    """Create or update products by sku; returns what became of each row, in their order.

    An account older than what is known changes nothing (STALE), a bad row is REJECTED and its neighbours are
    stored. Equal clocks: the last to arrive wins. Safe to call twice, and in any order.
    """
    now, reco = timezone.now(), reco_settings()
    outcomes: dict[int, RowOutcome] = {}
    taken: list[tuple[int, CheckedRow]] = []
    for index, draft in enumerate(rows):
        try:
            taken.append((index, checked(draft, now=now, reco=reco)))
        except ProductError as error:
            outcomes[index] = RowOutcome.rejected(index, draft.sku, error)
    if taken:
        queue()
        outcomes |= merged(taken)
    return [outcomes[index] for index in range(len(rows))]


@transaction.atomic
def delete_products(*, skus: Sequence[str], at: dt.datetime | None = None) -> list[RowOutcome]:
    """Hide products for good; returns what became of each.

    ``at`` is when they were deleted by the source's clock; None is now. The rows stay as tombstones, with their
    events. A sku that is not known gets one too, so that an older create that comes later does not show it.
    """
    now, reco = timezone.now(), reco_settings()
    outcomes: dict[int, RowOutcome] = {}
    named: dict[int, str] = {}
    moment = now
    for index, each in enumerate(skus):
        try:
            moment, named[index] = moment_of(at, now=now, reco=reco), sku_of(each)
        except ProductError as error:
            outcomes[index] = RowOutcome.rejected(index, each, error)
    if named:
        queue()
    known = by_sku(set(named.values()))
    changed: dict[str, Product] = {}
    for index, sku in named.items():
        product = known.setdefault(sku, Product(sku=sku, title=sku, currency=reco.CURRENCY))
        gone = merging.deleted(product, moment)
        if gone:
            changed[sku] = product
        outcomes[index] = RowOutcome(index=index, sku=sku, state=State.STORED if gone else State.STALE)
    write(list(changed.values()))
    return [outcomes[index] for index in range(len(skus))]


@transaction.atomic
def set_sensitive(*, categories: Collection[Category], sensitive: bool) -> int:
    """Mark categories, and all below them, as never to be told of; returns how many changed."""
    chosen = Q(pk__in=[category.pk for category in categories])
    for category in categories:
        chosen |= Q(path__startswith=f"{category.path} > ")
    changed = list(Category.objects.filter(chosen).exclude(sensitive=sensitive).values_list("pk", flat=True))
    if changed:
        next_revision()
        Category.objects.filter(pk__in=changed).update(sensitive=sensitive)
        sensitivity_changed.send(Category, category_ids=changed)
    return len(changed)


@transaction.atomic
def set_visibility(*, products: Collection[Product], visible: bool) -> int:
    """Show or hide products from the next request on; returns how many."""
    revision = next_revision()
    return Product.objects.filter(pk__in=[product.pk for product in products]).update(
        visible=visible, listed_at=timezone.now(), revision=revision
    )


def set_stock(*, product: Product, stock: int | None, at: dt.datetime | None = None) -> bool:
    """Keep how many are left by the source's clock; None is "not counted". False: a newer count is known.

    Raises:
        ProductError: If ``stock`` is below zero or no number, or ``at`` is no moment.
    """
    return _set(product, "stocked_at", {"stock": stock_of(stock)}, at)


def set_price(*, product: Product, price: Decimal | None, currency: str = "", at: dt.datetime | None = None) -> bool:
    """Keep the price by the source's clock; without a currency it stays. False: a newer price is known.

    Raises:
        ProductError: If the price cannot be stored, or ``at`` is no moment.
    """
    named = currency_of(currency)
    return _set(product, "priced_at", {"price": price_of(price)} | ({"currency": named} if named else {}), at)


@transaction.atomic
def _set(product: Product, clock: str, values: Mapping[str, Any], at: dt.datetime | None) -> bool:
    moment, said = moment_of(at, now=timezone.now(), reco=reco_settings()), {clock: values}
    queue()
    stored = Product.objects.get(pk=product.pk)
    if not merging.told(stored, said, moment):
        return False
    stored.revision = next_revision()
    stored.save(update_fields=[*said[clock], clock, "revision", "updated_at"])
    return True


@transaction.atomic
def save_product(*, product: Product, changed: Collection[str] | None = None) -> None:
    """Store an edited product; ``changed`` names the fields that were, None all of them."""
    now = timezone.now()
    product.revision = next_revision()
    for clock in {merging.CLOCK_OF[name] for name in changed or merging.CLOCK_OF if name in merging.CLOCK_OF}:
        setattr(product, clock, now)
    product.full_clean()
    if product.pk is None or changed is None:
        product.save()
    else:  # what another writer changed meanwhile stays
        clocks = {merging.CLOCK_OF[name] for name in changed if name in merging.CLOCK_OF}
        product.save(update_fields=[*changed, *clocks, "revision", "updated_at"])
