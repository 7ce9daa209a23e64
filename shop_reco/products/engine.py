"""The door between product rows and the engine's catalogue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import FloatField, QuerySet
from django.db.models.functions import Cast

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.cleaning_settings import settings_of
from reco_engine.data.filling import Mean, Prediction, Way
from reco_engine.data.missing import ColumnReport, MissingValues
from shop_reco.conf import reco_settings

from .models import Product

N_EXAMPLES = 5
Prices = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CleanedCatalogue:
    """All that is known of the products, and what was done about prices that are impossible or missing.

    Attributes:
        rules: For the report of a training, as those about events are: name, dropped, changed, examples (skus).
        missing: By column: the way, how many were missing, and how many were filled.
    """

    catalogue: Catalogue
    rules: list[dict[str, Any]]
    missing: dict[str, dict[str, Any]]


def cleaned_catalogue() -> CleanedCatalogue:
    """All products that are no variants, hidden and deleted ones too: they may have taught us something.

    A product of which only the deletion is known is none. An impossible price is unknown. A missing one is kept
    missing, the truth of it, unless CLEANING says otherwise: a product without a price has no price band to be alike
    by, and is alike by all the rest.
    """
    described = Product.objects.exclude(deleted_at__isnull=False, described_at__isnull=True)
    rows = _rows(described.filter(parent__isnull=True))
    catalogue, wrong = _catalogue(rows)
    skus = [str(row[1]) for row, bad in zip(rows, wrong, strict=True) if bad]
    rule = {"name": "impossible_product_prices", "dropped": 0, "changed": len(skus), "examples": skus[:N_EXAMPLES]}
    way = (settings_of(reco_settings().CLEANING, "product_prices") or {"missing": "keep"})["missing"]
    prices, report = _filled(catalogue, way)
    told = {
        "way": way, "of": len(catalogue), "missing": report.missing, "filled": report.filled, "dropped": 0,
    }  # fmt: skip
    return CleanedCatalogue(replace(catalogue, price=prices), [rule], {"product_prices": told})


def catalogue_of(*, ids: Collection[int]) -> Catalogue:
    """Some products, as they are now; one query. What is not known of them stays so."""
    return _catalogue(_rows(Product.objects.filter(pk__in=ids)))[0]


def _rows(products: QuerySet[Product]) -> list[Any]:
    known = products.annotate(told_price=Cast("price", FloatField()))  # as the database has it, however strange
    columns = ("pk", "sku", "title", "category__path", "category__sensitive", "brand__name", "told_price")
    return list(known.order_by("pk").values_list(*columns))


def _catalogue(rows: Sequence[Any]) -> tuple[Catalogue, npt.NDArray[np.bool_]]:
    """The catalogue of these rows, and which of them have a price that none can have."""
    prices = np.fromiter((float("nan") if row[6] is None else row[6] for row in rows), np.float64, len(rows))
    noted = np.fromiter((row[6] is not None for row in rows), np.bool_, len(rows))
    wrong = noted & ~(np.isfinite(prices) & (prices >= 0))
    catalogue = Catalogue.from_columns(
        np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        text=[row[2] for row in rows],
        category=[tuple(row[3].split(" > ")) if row[3] and not row[4] else () for row in rows],
        brand=[row[5] or "" for row in rows],
        price=np.where(wrong, np.nan, prices),
    )
    return catalogue, wrong


def _filled(catalogue: Catalogue, way: str) -> tuple[Prices | None, ColumnReport]:
    """The prices with the missing ones filled: by the mean of the category, or by what category and brand foretell."""
    prices = np.empty(0) if catalogue.price is None else catalogue.price
    n_missing = int(np.count_nonzero(np.isnan(prices)))
    if way == "keep" or n_missing in (0, prices.size):
        return catalogue.price, ColumnReport("keep", n_missing, 0, 0, n_missing)
    paths = [" > ".join(path) for path in catalogue.category or ()]
    columns: Mapping[str, Any] = {
        "price": np.log1p(prices) if way == "prediction" else prices,
        "path": np.asarray(paths),
        "category": _codes(paths),
        "department": _codes([path.partition(" > ")[0] for path in paths]),
        "brand": _codes(list(catalogue.brand or ())),
    }
    ways: dict[str, Way] = {"mean": Mean(by="path"), "prediction": Prediction(of=("category", "department", "brand"))}
    filled, _, report = MissingValues({"price": ways[way]}).fit(columns).apply(columns)
    found = np.expm1(filled["price"]) if way == "prediction" else filled["price"]
    return np.where(np.isnan(prices), np.maximum(found, 0.0), prices), report.columns["price"]


def _codes(names: Sequence[str]) -> Prices:
    """A number for each name, by the alphabet."""
    return np.unique(np.asarray(names), return_inverse=True)[1].astype(np.float64)
