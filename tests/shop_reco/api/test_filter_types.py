"""What a client narrows by reaches every kind of list and the catalogue alike, and is refused where it is too much."""

from __future__ import annotations

import pytest

from shop_reco.api.filter_types import MOST_VALUES
from shop_reco.api.ids import global_id
from shop_reco.products.models import Product
from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.serving.replay import Outcome, replay
from tests.shop_reco.graphql import ask

ALL = """query($f: ProductFilter, $p: ID!) {
  products(filter: $f, first: 50) { edges { node { sku } } }
  recommendations(placement: "popular", first: 50, filter: $f) { slateId edges { node { sku } } }
  recommendationsFor(requests: [{placement: "home", first: 50, filter: $f}]) { slateId edges { node { sku } } }
  similarProducts(product: $p, first: 50, filter: $f) { slateId edges { node { sku } } }
  trending(first: 50, filter: $f) { slateId edges { node { sku } } }
}"""
FIELDS = ["products", "recommendations", "recommendationsFor", "similarProducts", "trending"]
LISTS = FIELDS[1:]


@pytest.fixture
def tagged(trained):
    """Tea 0 to 5 are new, tea 3 and soap 0 to 2 are on sale, soap 3 is none of the shop's brands."""
    wanted = {"new": [f"Tea-{n}" for n in range(6)], "sale": ["Tea-3", "Soap-0", "Soap-1", "Soap-2"]}
    for product in trained.products.values():
        product.attributes = {"tags": [tag for tag, skus in wanted.items() if product.sku in skus]}
    trained.products["Soap-3"].brand = None
    Product.objects.bulk_update(trained.products.values(), ["attributes", "brand"])
    return trained


@pytest.fixture
def asks(tagged, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "QUERY_OBJECTS": 10_000}
    about = tagged.products["Cheese-11"]

    def of(wish):
        told = ask(client, ALL, {"f": wish, "p": global_id("Product", about.public_id)})
        return {name: each[0] if isinstance(each, list) else each for name, each in told["data"].items()}

    return of


def skus(told):
    return {edge["node"]["sku"] for edge in told["edges"]}


SHOP = {f"{shelf}-{n}" for shelf in ("Tea", "Cheese", "Soap") for n in range(12)}
TEA, SOAP = ({f"{shelf}-{n}" for n in range(12)} for shelf in ("Tea", "Soap"))
NEW, SALE = {f"Tea-{n}" for n in range(6)}, {"Tea-3", "Soap-0", "Soap-1", "Soap-2"}
B0 = {sku for sku in SHOP if int(sku.partition("-")[2]) % 3 == 0} - {"Soap-3"}


@pytest.mark.parametrize(
    ("wish", "passing"),
    [
        ({"categories": ["tea", "soap"]}, TEA | SOAP),
        ({"categories": ["shop"]}, SHOP),
        ({"brands": ["B0", "nobody"], "categories": ["tea"]}, TEA & B0),
        ({"tags": ["new", "sale"]}, NEW | SALE),
        ({"tags": ["New"]}, set()),
        ({"tags": ["new"], "not": {"tags": ["sale"]}}, NEW - SALE),
        ({"not": {"categories": ["tea"], "brands": ["B0"], "tags": ["sale"]}}, SHOP - TEA - B0 - SALE),
        ({"category": "soap", "not": {"brands": ["B0", "B1", "B2"]}}, {"Soap-3"}),
        ({"categories": [], "tags": None, "not": {"brands": []}}, SHOP),
    ],
)
def test_every_list_and_the_catalogue_are_narrowed_alike(asks, wish, passing):
    told = asks(wish)
    assert skus(told["products"]) == passing
    for name in LISTS:
        assert skus(told[name]) <= passing, name
    assert skus(told["recommendations"]) == passing
    assert skus(told["similarProducts"]) == skus(asks({})["similarProducts"]) & passing


@pytest.mark.parametrize("name", ["categories", "brands", "tags"])
@pytest.mark.parametrize("inside", ["filter", "filter.not"])
@pytest.mark.parametrize(
    ("values", "fix"),
    [
        ([f"v{n}" for n in range(MOST_VALUES + 1)], "50 values at most, not 51; leave some out"),
        (["x" * 129], "characters at most; leave out what is longer"),
        (["fine", "a\0b"], "has characters that cannot be stored"),
        (["\ud800"], "has characters that cannot be stored"),
    ],
)
def test_too_much_is_refused_by_name_with_what_to_do(asks, client, name, inside, values, fix):
    wish = {name: values} if inside == "filter" else {"not": {name: values}}
    for document in (
        "query($f: ProductFilter) { products(filter: $f) { edges { cursor } } }",
        "query($f: ProductFilter) { recommendations(filter: $f) { rung } }",
        "query($f: ProductFilter) { trending(filter: $f) { rung } }",
    ):
        (error,) = ask(client, document, {"f": wish})["errors"]
        assert error["extensions"]["code"] == "BAD_VALUE"
        assert error["message"].startswith(f"{inside}.{name} ")
        assert fix in error["message"]
    assert not Slate.objects.exists()


def test_as_much_as_is_allowed_is_answered(asks):
    many = {name: [f"{n}".rjust(64, "x") for n in range(MOST_VALUES)] for name in ("categories", "brands", "tags")}
    assert skus(asks({"not": many})["products"]) == SHOP
    assert skus(asks(many)["products"]) == set()


def test_what_a_list_was_narrowed_to_is_kept_with_it_and_it_can_be_computed_again(asks):
    told = asks({"tags": ["new", "sale", "new"], "brands": ["B0"], "not": {"categories": ["cheese"]}, "priceMin": "1"})
    for name in LISTS:
        slate = Slate.objects.get(pk=told[name]["slateId"])
        assert slate.context["filter"] == {
            "tags": ["new", "sale"], "brands": ["B0"], "without": {"categories": ["cheese"]}, "price_min": "1",
        }  # fmt: skip
        assert replay(slate).outcome == Outcome.EQUAL, name
