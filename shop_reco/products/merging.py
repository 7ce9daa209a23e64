"""Which of two accounts of a product counts: for each group of columns, the one with the later clock.

The later clock wins whatever arrives first, so the same accounts in any order end in the same product. Of two
with equal clocks the last to arrive wins; of a delete and a create with equal clocks, the delete.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from .models import Product

CLOCKS: Mapping[str, tuple[str, ...]] = {
    "described_at": ("title", "description", "category_id", "brand_id", "parent_id", "attributes"),
    "priced_at": ("price", "currency"),
    "stocked_at": ("stock",),
    "listed_at": ("visible", "available_from", "available_until"),
}
"""The groups: each clock and what it dates."""

CLOCK_OF = {column.removesuffix("_id"): clock for clock, columns in CLOCKS.items() for column in columns}


def told(product: Product, said: Mapping[str, Mapping[str, Any]], at: dt.datetime) -> bool:
    """Take over each group that ``said`` has no older account of; returns whether there was one."""
    taken = False
    for clock, values in said.items():
        before = getattr(product, clock)
        if before is not None and at < before:
            continue
        for column, value in values.items():
            setattr(product, column, value)
        setattr(product, clock, at)
        taken = True
    return taken


def revived(product: Product, at: dt.datetime) -> bool:
    """Lift the tombstone if the product was created or described anew after its deletion."""
    if product.deleted_at is None or at <= product.deleted_at:
        return False
    product.deleted_at = None
    return True


def deleted(product: Product, at: dt.datetime) -> bool:
    """Put a tombstone, unless it was described or deleted later than ``at``."""
    if product.described_at is not None and at < product.described_at:
        return False
    if product.deleted_at is not None and at <= product.deleted_at:
        return False
    product.deleted_at = at
    return True
