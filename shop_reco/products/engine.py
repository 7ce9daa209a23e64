"""The door between product rows and the engine's catalogue."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from django.db.models import QuerySet

from reco_engine.data.catalogue import Catalogue

from .models import Product


def training_catalogue() -> Catalogue:
    """All products that are no variants, hidden and deleted ones too: they may have taught us something.

    A product of which only the deletion is known is none.
    """
    described = Product.objects.exclude(deleted_at__isnull=False, described_at__isnull=True)
    return _catalogue(described.filter(parent__isnull=True))


def catalogue_of(*, ids: Collection[int]) -> Catalogue:
    """Some products, as they are now; one query."""
    return _catalogue(Product.objects.filter(pk__in=ids))


def _catalogue(products: QuerySet[Product]) -> Catalogue:
    columns = ("pk", "title", "category__path", "category__sensitive", "brand__name", "price")
    rows = list(products.order_by("pk").values_list(*columns))
    return Catalogue.from_columns(
        np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        text=[row[1] for row in rows],
        category=[tuple(row[2].split(" > ")) if row[2] and not row[3] else () for row in rows],
        brand=[row[4] or "" for row in rows],
        price=[float(row[5]) if row[5] is not None else float("nan") for row in rows],
    )
