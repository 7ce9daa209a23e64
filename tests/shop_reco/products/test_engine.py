"""Prices that are missing or impossible: told, and filled only where the shop says so."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from django.db import connection

from shop_reco.products.engine import catalogue_of, cleaned_catalogue
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products
from tests.shop_reco.unchecked import plant


@pytest.fixture
def shelf(db):
    """Teas at 2 and 4 and one without a price, soaps at 10 and 20 and one without, and a hat without peers."""
    prices = {"tea": (2, 4, None), "soap": (10, 20, None), "hat": (None,)}
    import_products(
        drafts=[
            ProductDraft(
                sku=f"{kind}-{n}",
                title=f"{kind} {n}",
                category=("Shop", kind),
                price=None if price is None else Decimal(price),
            )
            for kind, of_kind in prices.items()
            for n, price in enumerate(of_kind)
        ]
    )
    return dict(Product.objects.values_list("sku", "pk"))


def price_of(cleaned, shelf, sku):
    return float(cleaned.catalogue.price[np.searchsorted(cleaned.catalogue.item_ids, shelf[sku])])


def filled_by(way, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": {"product_prices": {"missing": way}}}
    return cleaned_catalogue()


def test_a_missing_price_stays_missing_and_is_counted(shelf):
    cleaned = cleaned_catalogue()
    assert cleaned.missing == {
        "product_prices": {"way": "keep", "of": 7, "missing": 3, "filled": 0, "dropped": 0}
    }  # fmt: skip
    assert np.isnan(price_of(cleaned, shelf, "tea-2"))


def test_by_mean_it_is_that_of_its_category_and_stays_missing_where_there_is_none(shelf, settings):
    cleaned = filled_by("mean", settings)
    assert price_of(cleaned, shelf, "tea-2") == 3.0
    assert price_of(cleaned, shelf, "soap-2") == 15.0
    assert np.isnan(price_of(cleaned, shelf, "hat-0"))
    assert cleaned.missing["product_prices"] == {"way": "mean", "of": 7, "missing": 3, "filled": 2, "dropped": 0}
    assert price_of(cleaned, shelf, "tea-0") == 2.0


def test_by_prediction_it_follows_category_and_brand_and_is_never_below_zero(db, settings):
    import_products(
        drafts=[
            ProductDraft(
                sku=f"{kind}-{n}",
                title=kind,
                category=("Shop", kind),
                price=None if n == 0 else Decimal(low + n % 5),
            )
            for kind, low in (("cheap", 1), ("dear", 100))
            for n in range(60)
        ]
    )
    found = dict(Product.objects.values_list("sku", "pk"))
    cleaned = filled_by("prediction", settings)
    assert 1 <= price_of(cleaned, found, "cheap-0") <= 5
    assert 95 <= price_of(cleaned, found, "dear-0") <= 105
    assert cleaned.missing["product_prices"]["filled"] == 2


@pytest.mark.parametrize("strange", ["-5", "9e999", "'NaN'"])
def test_a_price_planted_by_sql_is_unknown_and_counted(shelf, strange):
    if connection.vendor == "postgresql" and strange == "9e999":
        pytest.skip("the column of PostgreSQL holds no infinity")
    if connection.vendor == "sqlite" and strange == "'NaN'":
        pytest.skip("a word is no number to SQLite, and read as zero")
    plant(f"UPDATE reco_products_product SET price = {strange} WHERE sku = 'tea-0'")
    cleaned = cleaned_catalogue()
    assert np.isnan(price_of(cleaned, shelf, "tea-0"))
    assert cleaned.rules == [
        {"name": "impossible_product_prices", "dropped": 0, "changed": 1, "examples": ["tea-0"]}
    ]  # fmt: skip
    assert np.isnan(catalogue_of(ids=[shelf["tea-0"]]).price).all()
    assert not np.isinf(cleaned.catalogue.price).any()
