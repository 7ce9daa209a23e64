"""What a client may narrow lists and the catalogue to."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from shop_reco.products.filters import ProductExclusion, ProductFilter
from shop_reco.products.models import Brand, Category
from shop_reco.products.tags import LONGEST_TAG

from .errors import ApiError, check

MOST_VALUES = 50
LONGEST = {
    "categories": Category._meta.get_field("slug").max_length or 0,
    "brands": Brand._meta.get_field("name").max_length or 0,
    "tags": LONGEST_TAG,
}
"""Characters of a value; no longer one is in the catalogue."""


@strawberry.input(name="ProductExclusion")
class ProductExclusionInput:
    categories: list[str] | None = None
    brands: list[str] | None = None
    tags: list[str] | None = None

    def wish(self) -> ProductExclusion:
        """Raises ApiError BAD_VALUE."""
        return ProductExclusion(
            categories=_values("filter.not", "categories", self.categories),
            brands=_values("filter.not", "brands", self.brands),
            tags=_values("filter.not", "tags", self.tags),
        )


@strawberry.input(name="ProductFilter")
class ProductFilterInput:
    category: str | None = None
    brand: str | None = None
    categories: list[str] | None = None
    brands: list[str] | None = None
    tags: list[str] | None = None
    not_: ProductExclusionInput | None = strawberry.field(name="not", default=None)
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool | None = None

    def wish(self) -> ProductFilter:
        """Raises ApiError BAD_VALUE."""
        check(category=self.category, brand=self.brand, priceMin=self.price_min, priceMax=self.price_max)
        return ProductFilter(
            category=self.category,
            brand=self.brand,
            categories=_values("filter", "categories", self.categories),
            brands=_values("filter", "brands", self.brands),
            tags=_values("filter", "tags", self.tags),
            without=self.not_.wish() if self.not_ else ProductExclusion(),
            price_min=self.price_min,
            price_max=self.price_max,
            in_stock=self.in_stock,
        )


def _values(owner: str, name: str, values: list[str] | None) -> tuple[str, ...]:
    """Each once; raises ApiError BAD_VALUE."""
    field, some = f"{owner}.{name}", values or []
    if len(some) > MOST_VALUES:
        raise ApiError("BAD_VALUE", f"{field} may have {MOST_VALUES} values at most, not {len(some)}; leave some out")
    for value in some:
        check(**{field: value})
        if len(value) > LONGEST[name]:
            raise ApiError(
                "BAD_VALUE", f"{field} may have values of {LONGEST[name]} characters at most; leave out what is longer"
            )
    return tuple(dict.fromkeys(some))
