"""Questions about the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import BooleanField, Case, Count, Exists, FloatField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Cast, Length
from django.utils import timezone
from django.utils.translation import get_language

from shop_reco.prepared import Prepared

from .models import CatalogueState, Category, Product, ProductTranslation
from .tags import WrittenTags

ALSO_CALLED = {"zh-hans": ("zh-cn", "zh-sg"), "zh-hant": ("zh-tw", "zh-hk")}
"""Languages of a request, and other names that a shop may give their translations."""


def showable_now(now: dt.datetime | None = None) -> Q:
    """The one predicate of what may be shown: visible, not deleted, sold, in its window, no variant."""
    now = now or timezone.now()
    return (
        Q(visible=True, deleted_at__isnull=True, parent__isnull=True)
        & (Q(stock__isnull=True) | Q(stock__gt=0))
        & (Q(available_from__isnull=True) | Q(available_from__lte=now))
        & (Q(available_until__isnull=True) | Q(available_until__gt=now))
    )


def names_now() -> list[str]:
    """What translations into the language of the moment may be called; always as many names, some of them twice."""
    language = (get_language() or "").lower()
    first, second = ALSO_CALLED.get(language, (language, language))
    return [language, language.partition("-")[0], first, second]


def told(products: QuerySet[Product], names: Sequence[str] | None = None) -> QuerySet[Product]:
    """The same rows, with title and description in the language of these names, else the request's; no query more."""
    # the longest name is the closest one
    translations = ProductTranslation.objects.filter(
        product=OuterRef("pk"), language__in=names_now() if names is None else names
    ).order_by(Length("language").desc(), "language")
    return products.annotate(
        told_titles=Subquery(translations.values("title")[:1]),
        told_descriptions=Subquery(translations.values("description")[:1]),
    )


def _rows(names: Sequence[str] | None = None) -> QuerySet[Product]:
    return told(Product.objects.select_related("category", "brand"), names)


def showable(*, now: dt.datetime | None = None) -> QuerySet[Product]:
    return _rows().filter(showable_now(now))


UNTOLD = (
    "attributes", "available_from", "available_until", "described_at", "priced_at", "stocked_at", "listed_at",
    "created_at", "updated_at",
)  # fmt: skip
"""What no list tells of a product: to read it for each costs as much as the rest. Asked for, it is a query more."""


def final_rows(*, ids: Collection[int]) -> dict[int, Any]:
    """Products by primary key; ``shown`` says of each whether it may be shown at this moment; one query."""
    rows = _final_rows(ids, timezone.now(), *names_now())
    return {product.pk: product for product in rows}


@Prepared
def _final_rows(ids: Collection[int], now: dt.datetime, *names: str) -> QuerySet[Product]:
    shown = Case(When(showable_now(now), then=True), default=False, output_field=BooleanField())
    return _rows(names).filter(pk__in=ids).annotate(shown=shown).defer(*UNTOLD)


class ShelfRow(NamedTuple):
    """One product, as lists choose by it."""

    pk: int
    listed: bool  # it may be shown whenever its window is open
    category: int | None
    brand: int | None
    price: float | None
    opens: dt.datetime | None
    closes: dt.datetime | None
    tags: Any  # what the shop listed there, whatever it is


def shelf_rows(*, after: int | None = None) -> Iterator[ShelfRow]:
    """Products that may be listed now or later, or all that changed after a revision; streamed, one query."""
    now = timezone.now()
    may_be = Q(visible=True, deleted_at__isnull=True, parent__isnull=True)
    may_be &= (Q(stock__isnull=True) | Q(stock__gt=0)) & (Q(available_until__isnull=True) | Q(available_until__gt=now))
    found = Product.objects.filter(may_be) if after is None else Product.objects.filter(revision__gt=after)
    told = found.annotate(
        listed=Case(When(may_be, then=True), default=False, output_field=BooleanField()),
        told_price=Cast("price", FloatField()),
        tags=WrittenTags(),
    )
    columns = ("pk", "listed", "category_id", "brand_id", "told_price", "available_from", "available_until", "tags")
    ordered = told.order_by("pk") if after is None else told.order_by()  # else SQLite goes by key, not by revision
    return map(ShelfRow._make, ordered.values_list(*columns).iterator(chunk_size=5000))


def search_products(*, text: str) -> QuerySet[Product]:
    """Showable products with every word of ``text`` in a title, the brand or the category, at most eight words.

    Titles and keywords of all languages count.
    """
    found = showable()
    for word in text.split()[:8]:
        translated = ProductTranslation.objects.filter(
            Q(title__icontains=word) | Q(keywords__icontains=word), product=OuterRef("pk")
        )
        found = found.filter(
            Q(title__icontains=word)
            | Q(brand__name__icontains=word)
            | Q(category__path__icontains=word)
            | Exists(translated)
        )
    return found


def product_by_sku(*, sku: str) -> Product | None:
    return _rows().filter(sku=sku).first()


def products_by_sku(*, skus: Collection[str]) -> list[Product]:
    """In no order; unknown ones are left out; one query."""
    return list(_rows().filter(sku__in=skus))


def product_by_public_id(*, public_id: UUID) -> Product | None:
    return _rows().filter(public_id=public_id).first()


def missing_fields() -> dict[str, int]:
    """How many products are on offer (``n``), and how many of them lack what lists and portraits follow; one query."""
    lacks = {
        "price": Q(price__isnull=True),
        "category": Q(category__isnull=True),
        "brand": Q(brand__isnull=True),
        "description": Q(description=""),
    }
    counts = {field: Count("pk", filter=lack) for field, lack in lacks.items()}
    return Product.objects.filter(showable_now()).aggregate(n=Count("pk"), **counts)


def catalogue_revision() -> int:
    """How often the catalogue changed; one query."""
    return CatalogueState.objects.filter(pk=1).values_list("revision", flat=True).first() or 0


def categories(*, below: str | None = None) -> QuerySet[Category]:
    """All of them by path, or those directly below the one with this slug; below "" are the outermost."""
    rows = Category.objects.order_by("path")
    if below is None:
        return rows
    return rows.filter(parent__slug=below) if below else rows.filter(parent=None)


def sensitive_categories() -> QuerySet[Category, int]:
    """Primary keys of the categories that nothing may be told of, as a subquery."""
    return Category.objects.filter(sensitive=True).values_list("pk", flat=True)


def sensitive_paths() -> frozenset[str]:
    """Paths of the categories of which nothing may be told; one query."""
    return frozenset(Category.objects.filter(sensitive=True).values_list("path", flat=True))


def after_product(*, queryset: QuerySet[Product], last: Product) -> QuerySet[Product]:
    """What follows ``last`` in the order of title, then public id.

    Asked as a range of titles less those of it that came already: where one of two things must hold, SQLite finds and
    sorts all that follow.
    """
    return queryset.filter(title__gte=last.title).exclude(title=last.title, public_id__lte=last.public_id)


def pks_by_sku() -> dict[str, int]:
    """Primary keys of the whole catalogue; one query."""
    return dict(Product.objects.values_list("sku", "pk"))


def products_by_public_id(*, public_ids: Collection[UUID]) -> list[Product]:
    return list(_rows().filter(public_id__in=public_ids))


def visible_batches(*, size: int = 500) -> Iterator[list[Product]]:
    """All visible products with their skus, ``size`` at a time by primary key; one query a batch."""
    last = 0
    while chunk := list(
        Product.objects.filter(visible=True, deleted_at=None, pk__gt=last).only("sku").order_by("pk")[:size]
    ):
        yield chunk
        last = chunk[-1].pk
