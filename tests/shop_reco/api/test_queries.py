"""A query that cannot be answered gets a typed error."""

from __future__ import annotations

import pytest

from tests.shop_reco.graphql import LIST, ask


def test_a_bad_page_is_a_typed_error(trained, client):
    assert ask(client, LIST, {"n": 1000})["errors"][0]["extensions"]["code"] == "BAD_PAGE"


@pytest.mark.parametrize("variables", [{"n": 2**31}, {"n": None}, {}, {"n": "many"}, {"n": 1, "after": 1.5}])
def test_a_bad_variable_is_the_clients(db, client, variables):
    (error,) = ask(client, LIST, variables)["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"
    assert error["message"].startswith("Variable '$")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"search": "\ud800"}, "search"),
        ({"search": "\0"}, "search"),
        ({"filter": {"brand": "\ud800"}}, "brand"),
        ({"filter": {"category": "\0"}}, "category"),
        ({"filter": {"priceMin": "NaN"}}, "priceMin"),
        ({"filter": {"priceMax": "Infinity"}}, "priceMax"),
        ({"filter": {"priceMax": "1e400"}}, "priceMax"),
        ({"filter": {"extra": 1}}, "extra"),
        ({"filter": {"priceMin": "cheap"}}, "priceMin"),
    ],
)
def test_a_value_no_database_takes_is_named(shop, client, arguments, field):
    document = "query($search: String, $filter: ProductFilter) { products(search: $search, filter: $filter)"
    (error,) = ask(client, document + " { edges { cursor } } }", arguments)["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"
    assert field in error["message"]


@pytest.mark.parametrize("query", ["product(sku: $t) { id }", "recommendations(placement: $t) { rung }"])
def test_half_a_character_is_a_bad_value(shop, client, query):
    (error,) = ask(client, "query($t: String!) { " + query + " }", {"t": "a\ud800"})["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"


def test_more_products_than_a_list_may_be_about_are_refused(shop, client):
    document = "query($p: [ID!]!) { boughtTogether(products: $p) { rung } }"
    (error,) = ask(client, document, {"p": ["x"] * 21})["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"
    document = "query($p: [ID!]!) { recommendations(context: {products: $p}) { rung } }"
    (error,) = ask(client, document, {"p": ["x"] * 21})["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"
