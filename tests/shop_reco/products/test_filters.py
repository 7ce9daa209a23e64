"""A query of products is narrowed to what is wished and to nothing else."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from shop_reco.products.filters import ProductExclusion, ProductFilter, filtered
from shop_reco.products.models import Product
from shop_reco.products.selectors import showable
from shop_reco.products.services import ProductDraft, import_products

ROWS = {
    "green": (("Shop", "Tea", "Green"), "A", ["new", "hot"]),
    "black": (("Shop", "Tea"), "B", ["hot"]),
    "soap": (("Shop", "Soap"), "A", ["New"]),
    "bare": ((), "", None),
}


@pytest.fixture
def found(db):
    import_products(
        drafts=[
            ProductDraft(
                sku=sku, title=sku, category=path, brand=brand, attributes={} if tags is None else {"tags": tags}
            )
            for sku, (path, brand, tags) in ROWS.items()
        ]
    )
    return lambda **wish: " ".join(
        filtered(queryset=showable(), filter=ProductFilter(**wish)).order_by("pk").values_list("sku", flat=True)
    )


@pytest.mark.parametrize(
    ("wish", "skus"),
    [
        ({}, "green black soap bare"),
        ({"categories": ("tea",)}, "green black"),
        ({"categories": ("green", "soap", "nowhere")}, "green soap"),
        ({"categories": ("nowhere",)}, ""),
        ({"category": "tea", "categories": ("green", "soap")}, "green"),
        ({"brands": ("A", "B")}, "green black soap"),
        ({"brands": ("a",)}, ""),
        ({"brand": "A", "brands": ("B",)}, ""),
        ({"tags": ("new",)}, "green"),
        ({"tags": ("New", "hot")}, "green black soap"),
        ({"tags": ("",)}, ""),
        ({"brands": ("A",), "tags": ("hot",), "categories": ("shop",)}, "green"),
    ],
)
def test_any_of_several_values_will_do_and_all_fields_must_hold(found, wish, skus):
    assert found(**wish) == skus


@pytest.mark.parametrize(
    ("gone", "skus"),
    [
        ({"categories": ("tea",)}, "soap bare"),
        ({"categories": ("green", "nowhere")}, "black soap bare"),
        ({"brands": ("A",)}, "black bare"),
        ({"brands": ("A", "B")}, "bare"),
        ({"tags": ("hot",)}, "soap bare"),
        ({"tags": ("New", "new")}, "black bare"),
        ({"tags": ("",), "brands": ("nobody",)}, "green black soap bare"),
        ({"brands": ("B",), "tags": ("New",)}, "green bare"),
    ],
)
def test_what_must_not_be_is_left_out_and_what_has_none_stays(found, gone, skus):
    assert found(without=ProductExclusion(**gone)) == skus


def test_what_is_wished_and_must_not_be_is_nowhere(found):
    assert found(tags=("hot",), without=ProductExclusion(tags=("new",))) == "black"
    assert found(tags=("hot",), without=ProductExclusion(tags=("hot",))) == ""


def test_values_are_never_read_as_words_of_the_database(found):
    for text in ("' OR 1=1 --", "%", "a' UNION SELECT 1", '"] }', "$.tags", "%s", "{}"):
        assert found(tags=(text,)) == found(brands=(text,)) == found(categories=(text,)) == ""
        assert found(without=ProductExclusion(tags=(text,))) == "green black soap bare"
    assert Product.objects.count() == 4


def test_many_values_cost_the_same_number_of_queries(found, django_assert_num_queries):
    many = tuple(f"v{n}" for n in range(49))
    gone = ProductExclusion(categories=("soap", *many), brands=many, tags=many)
    with django_assert_num_queries(5):
        assert found(categories=("tea", *many), brands=("A", *many), tags=("hot", *many), without=gone) == "green"


def test_a_filter_tells_what_it_was_given_as_json():
    wish = ProductFilter(
        brand="A", tags=("new",), without=ProductExclusion(brands=("B", "C")), price_max=Decimal("9.50"), in_stock=True
    )
    assert json.loads(json.dumps(wish.told())) == {
        "brand": "A", "tags": ["new"], "without": {"brands": ["B", "C"]}, "price_max": "9.50", "in_stock": "True",
    }  # fmt: skip
    assert ProductFilter().told() == {}


def test_only_what_can_leave_something_out_narrows():
    assert not ProductFilter(in_stock=True).narrows()
    assert not ProductFilter(tags=(), without=ProductExclusion()).narrows()
    assert ProductFilter(tags=("new",)).narrows()
    assert ProductFilter(without=ProductExclusion(brands=("A",))).narrows()
    assert ProductFilter(price_min=Decimal(0)).narrows()
