"""Prices as people of a language write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from shop_reco.storefront.prices import told_price


@pytest.mark.parametrize(
    ("language", "amount", "currency", "told"),
    [
        ("en", Decimal("1234.5"), "USD", "$1,234.50"),
        ("en", "3", "EUR", "€3.00"),
        ("en", Decimal(1200), "JPY", "¥1,200"),
        ("zh-hans", Decimal("2.5"), "USD", "US$2.50"),
        ("zh-hans", Decimal("2.5"), "CNY", "¥2.50"),
        ("de", Decimal("1234.5"), "EUR", "1.234,50\xa0€"),
        ("en", "3", "", "$3.00"),
        ("en", None, "USD", ""),
        ("en", "", "USD", ""),
        ("en", "a lot", "USD", ""),
        ("xx-nowhere", Decimal(1), "USD", "$1.00"),
    ],
)
def test_a_price_is_written_as_its_readers_do(language, amount, currency, told):
    with translation.override(language):
        assert told_price(amount, currency) == told
