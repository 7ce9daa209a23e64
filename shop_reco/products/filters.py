"""What a list may be narrowed to, and the same of a query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from django.db.models import Q, QuerySet

from .models import Brand, Category, Product
from .tags import HasAnyTag


@dataclass(frozen=True, kw_only=True)
class ProductExclusion:
    """What must not be: none of these slugs with what stands below them, none of these brands, none of these tags."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProductFilter:
    """What a list may be narrowed to; all that is given must hold.

    Attributes:
        category, categories: Slugs, which take their children with them. Of several any will do; none: all do.
        brand, brands: Names. Of several any will do; none: all do.
        tags: Any of these, to the letter; none: all do.
        without: What must not be.
    """

    category: str | None = None
    brand: str | None = None
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without: ProductExclusion = ProductExclusion()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool | None = None

    def narrows(self) -> bool:
        """Whether it leaves out any product that may be shown; those are in stock as it is."""
        return bool(self.told().keys() - {"in_stock"})

    def told(self) -> dict[str, Any]:
        """What is given, as JSON."""
        given: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, ProductExclusion):
                value = {name: list(some) for name, some in vars(value).items() if some}
            if value not in (None, (), {}):
                given[each.name] = value if isinstance(value, dict) else _told(value)
        return given


def _told(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)


MOST_MONEY = 10**12
"""More minor units than any price has."""


def minor_units(amount: Decimal, *, up: bool) -> int:
    """The nearest price that is not below (``up``) or above ``amount``, in minor units; MOST_MONEY where none is."""
    bounded = min(max(amount, Decimal(-1)), Decimal(MOST_MONEY // 100))
    return int((bounded * 100).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def filtered(*, queryset: QuerySet[Product], filter: ProductFilter) -> QuerySet[Product]:
    """Narrow a query of products; two queries for each field of categories that is given."""
    if filter.category is not None:
        queryset = queryset.filter(category__in=categories_within(slugs=[filter.category]))
    if filter.categories:
        queryset = queryset.filter(category__in=categories_within(slugs=filter.categories))
    if filter.brand is not None:
        queryset = queryset.filter(brand__name=filter.brand)
    if filter.brands:
        queryset = queryset.filter(brand__name__in=filter.brands)
    if filter.tags:
        queryset = queryset.filter(HasAnyTag(*filter.tags))
    # as prices are, so that every database compares alike
    if filter.price_min is not None:
        least = minor_units(filter.price_min, up=True)
        queryset = queryset.filter(price__gte=Decimal(least) / 100) if least < MOST_MONEY else queryset.none()
    if filter.price_max is not None:
        most = min(minor_units(filter.price_max, up=False), MOST_MONEY - 1)
        queryset = queryset.filter(price__lte=Decimal(most) / 100)
    if filter.in_stock:
        queryset = queryset.filter(Q(stock__isnull=True) | Q(stock__gt=0))
    return _without(queryset, filter.without)


def _without(queryset: QuerySet[Product], gone: ProductExclusion) -> QuerySet[Product]:
    if gone.categories:
        queryset = queryset.exclude(category__in=categories_within(slugs=gone.categories))
    if gone.brands:
        queryset = queryset.exclude(brand__name__in=gone.brands)
    if gone.tags:
        queryset = queryset.exclude(HasAnyTag(*gone.tags))
    return queryset


def categories_within(*, slugs: Collection[str]) -> list[int]:
    """Primary keys of categories and of all below them; none where no category is called so. Two queries at most."""
    return categories_below(paths=list(Category.objects.filter(slug__in=list(slugs)).values_list("path", flat=True)))


def categories_below(*, paths: Collection[str]) -> list[int]:
    """Primary keys of the categories at these paths and of all below them; one query."""
    chosen = Q(path__in=list(paths))
    for path in paths:
        chosen |= Q(path__startswith=f"{path} > ")
    rows = Category.objects.filter(chosen).values_list("pk", "path") if paths else []
    # SQLite takes capitals for small letters
    return [pk for pk, path in rows if path in paths or any(path.startswith(f"{each} > ") for each in paths)]


def brands_named(*, names: Collection[str]) -> list[int]:
    """Their primary keys; one query."""
    return list(Brand.objects.filter(name__in=list(names)).values_list("pk", flat=True))
