"""A price that was taken can be read again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shop_reco.products.models import Product
from shop_reco.products.money import price_from
from shop_reco.products.services import ProductDraft, import_products


@pytest.mark.parametrize(
    ("said", "kept"),
    [("9999999999.99", "9999999999.99"), ("9999999999.994", "9999999999.99"), (1.005, "1.00"), ("-0.00", "0.00")],
)
def test_a_price_is_rounded_to_the_columns_places(said, kept):
    assert str(price_from(said)) == kept


@pytest.mark.parametrize("said", ["9999999999.999", "9999999999.995", "1e999999", "-0.001", "NaN", "sNaN", "Infinity"])
def test_a_price_out_of_bounds_is_refused_with_the_limit(said):
    with pytest.raises(ValueError, match=r"must lie between 0 and 9999999999\.99"):
        price_from(said)


@pytest.mark.parametrize("said", ["a lot", "", True, [1]])
def test_what_is_no_number_is_no_price(said):
    with pytest.raises(ValueError, match="must be a decimal number"):
        price_from(said)


def test_an_import_refuses_a_price_that_could_not_be_read_again(db):
    drafts = [ProductDraft(sku="tea", title="Tea", price=Decimal("9999999999.999"))]
    with pytest.raises(ValueError, match=r"price of tea must lie between 0 and 9999999999\.99"):
        import_products(drafts=drafts)
    assert not Product.objects.exists()
    import_products(drafts=[ProductDraft(sku="tea", title="Tea", price=Decimal("9999999999.994"))])
    assert Product.objects.get().price == Decimal("9999999999.99")
