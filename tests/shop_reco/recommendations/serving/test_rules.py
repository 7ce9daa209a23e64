"""Rules of merchandisers: about whom, what, and when."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco.products.models import Brand, Category, Product
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Rule
from tests.shop_reco.conftest import skus

ABOUT = {
    "product": lambda shop: {"product": shop.products["Tea-3"]},
    "category": lambda shop: {"category": Category.objects.get(name="Tea")},
    "brand": lambda shop: {"brand": Brand.objects.get(name="B2")},
    "tag": lambda shop: {"tag": "SALE"},
    "price": lambda shop: {"price_min": 3, "price_max": 5},
}
MEANT = {
    "product": lambda product: product.sku == "Tea-3",
    "category": lambda product: product.sku.startswith("Tea"),
    "brand": lambda product: product.brand.name == "B2",
    "tag": lambda product: product.sku in ("Tea-5", "Soap-5"),
    "price": lambda product: 3 <= product.price <= 5,
}


@pytest.fixture
def tagged(trained):
    for sku in ("Tea-5", "Soap-5"):
        Product.objects.filter(sku=sku).update(attributes={"tags": ["Sale"]})
    return trained


@pytest.mark.parametrize("target", ABOUT)
def test_a_rule_hides_lifts_and_buries_all_that_it_is_about_and_nothing_else(tagged, target):
    def listed():
        return [edge.product for edge in serving.recommend_for(shopper=None, placement="popular", first=36).edges]

    before, meant = listed(), MEANT[target]
    assert any(map(meant, before))
    rule = Rule.objects.create(action="boost", points=9, **ABOUT[target](tagged))
    after = listed()
    assert after == [*filter(meant, before), *(each for each in before if not meant(each))]
    rule.points = -9
    rule.save()
    assert listed() == [*(each for each in before if not meant(each)), *filter(meant, before)]
    rule.action = "hide"
    rule.save()
    assert listed() == [each for each in before if not meant(each)]
    rule.delete()
    assert listed() == before


def test_a_rule_about_a_category_holds_for_what_comes_below_it_later(trained):
    Rule.objects.create(action="hide", category=Category.objects.get(name="Tea"))
    serving.recommend_for(shopper=None, first=5)
    import_products(drafts=[ProductDraft(sku="new", title="Oolong", category=("Shop", "Tea", "Oolong"))])
    assert not [sku for sku in skus(serving.recommend_for(shopper=None, first=36)) if sku == "new" or "Tea" in sku]


def test_a_rule_begins_and_ends_at_its_moments_with_no_change_of_anything(trained, monkeypatch):
    now, hour = timezone.now(), dt.timedelta(hours=1)
    Rule.objects.create(
        action="pin", product=trained.products["Soap-9"], rank=1, starts_at=now + hour, ends_at=now + 2 * hour
    )

    def first_at(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return skus(serving.recommend_for(shopper=None, first=3))[0] == "Soap-9"

    moments = [now, now + hour, now + 2 * hour - dt.timedelta(seconds=1), now + 2 * hour]
    assert [first_at(moment) for moment in moments] == [False, True, True, False]


def test_a_rule_about_a_variant_is_about_the_product_that_lists_show(trained):
    import_products(drafts=[ProductDraft(sku="Tea-3-big", title="Tea 3, big", parent_sku="Tea-3")])
    Rule.objects.create(action="pin", product=Product.objects.get(sku="Tea-3-big"), rank=1)
    assert skus(serving.recommend_for(shopper=None, first=3))[0] == "Tea-3"
