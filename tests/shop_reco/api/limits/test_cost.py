"""What an operation may lead to is told before it runs, and stays below what its sender may ask for."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type

from shop_reco.api.limits.cost import A_FILTER, A_LIST, A_SEARCH, AN_EXPLANATION, AN_ITEM, DEFINITION, MOST
from shop_reco.api.schema import schema
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

WIDE = "query($n: Int = 3) { recommendations(first: $n) { edges { node { id } reasons { evidence { id } } } } }"


def cost(reply):
    return reply["extensions"]["cost"]


@pytest.mark.parametrize(
    ("document", "objects"),
    [
        ("{ me { known } }", 1),
        ("{ __typename }", 0),
        ("{ me { consents { purpose } } }", 1 + 3),
        ("{ recommendations(first: 5) { edges { rank } } }", A_LIST + 5 * AN_ITEM + 1 + 5),
        ("{ recommendations { edges { rank } } }", A_LIST + 10 * AN_ITEM + 1 + 10),
        (
            "{ recommendations(first: 5) { pageInfo { endCursor } edges { node { category { name } } } } }",
            A_LIST + 5 * AN_ITEM + 2 + 5 * 3,
        ),
        ("{ a: me { known } b: me { known } }", 2),
        ("{ ...a ...a } fragment a on Query { me { known } }", 2),
        ("{ products(first: 7) { edges { node { id } } } }", 1 + 7 * 2),
        ("{ ... on Query { me { known } } }", 1),
        ('{ reordered(products: ["a", "b"]) { edges { rank } } }', A_LIST + 2 * AN_ITEM + 1 + 2),
        ('{ reordered(products: ["a", "b", "c"], first: 2) { edges { rank } } }', A_LIST + 2 * AN_ITEM + 1 + 2),
        ('{ reordered(products: ["a"], first: 9) { edges { rank } } }', A_LIST + AN_ITEM + 1 + 1),
        (
            "{ recommendationsFor(requests: [{first: 3}, {first: 4}, {}]) { edges { rank } } }",
            3 * A_LIST + 17 * AN_ITEM + 3 + 17,
        ),
        ('{ products(search: "tea", first: 2) { edges { node { id } } } }', A_SEARCH + 1 + 2 * 2),
        ("{ products(filter: {inStock: true}, first: 2) { edges { cursor } } }", A_FILTER + 1 + 2),
        ('{ products(search: "", first: 2) { edges { node { id } } } }', 1 + 2 * 2),
        ('{ explain(slateId: "a", product: "b") { score without { id } } }', AN_EXPLANATION + 1 + 3),
    ],
)
def test_the_cost_of_a_document_by_hand(shop, client, document, objects):
    assert cost(ask(client, document)) == {"objects": objects, "most": 2500}


def test_a_page_given_by_a_variable_counts_as_it_is_given(shop, client):
    each = 1 + 1 + 6 * (1 + 3)
    assert cost(ask(client, WIDE))["objects"] == A_LIST + 3 * AN_ITEM + 1 + 3 * each
    assert cost(ask(client, WIDE, {"n": 10}))["objects"] == A_LIST + 10 * AN_ITEM + 1 + 10 * each


def test_pages_given_by_a_variable_count_as_they_are_given(shop, client):
    document = "query($r: [RecommendationRequest!]!) { recommendationsFor(requests: $r) { edges { rank } } }"
    assert (
        cost(ask(client, document, {"r": [{"first": 2}, {"placement": "popular"}]}))["objects"]
        == 2 * A_LIST + 12 * AN_ITEM + 2 + 12
    )
    inner = "query($n: Int!) { recommendationsFor(requests: [{first: $n}]) { edges { rank } } }"
    assert cost(ask(client, inner, {"n": 7}))["objects"] == A_LIST + 7 * AN_ITEM + 1 + 7


def test_a_document_that_costs_too_much_asks_nothing_of_the_database(shop, client):
    with CaptureQueriesContext(connection) as queries:
        reply = ask(client, WIDE, {"n": 100})
    assert reply["errors"][0]["extensions"]["code"] == "COST_LIMIT"
    assert "4201 objects, 2500 are allowed" in reply["errors"][0]["message"]
    assert reply["data"] is None
    assert len(queries) == 0


def test_staff_and_servers_may_ask_for_more(shop, client):
    client.force_login(User.objects.create_user("merchandiser", is_staff=True))
    assert "errors" not in ask(client, WIDE, {"n": 100})
    key = issue_key(name="server", scopes=["lists:read"])[1]
    client.logout()
    assert cost(ask(client, WIDE, {"n": 100}, Authorization=f"Bearer {key}"))["most"] == 10_000


@pytest.mark.parametrize("first", [-1, 0, 2**31 - 1, 10**6])
def test_a_page_out_of_bounds_is_told_by_the_field_and_costs_no_more_than_the_longest(shop, client, first):
    reply = ask(client, "query($n: Int!) { recommendations(first: $n) { edges { rank } } }", {"n": first})
    assert reply["errors"][0]["extensions"]["code"] == "BAD_PAGE"
    assert cost(reply)["objects"] <= A_LIST + 100 * AN_ITEM + 101


def test_each_event_of_a_batch_costs_an_object(shop, client):
    document = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted } }"
    event = {"id": "6f1d8f0c-7f6b-4a3e-9a51-0d8a4d2b9a11", "type": "VIEW_ITEM"}
    assert cost(ask(client, document, {"e": [event] * 40}))["objects"] == 41


def test_an_operation_that_took_its_time_begins_no_other_field(shop, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "QUERY_SECONDS": 1e-9}
    reply = ask(client, "{ me { known } }")
    assert reply["errors"][0]["extensions"]["code"] == "TIMEOUT"


def test_every_list_of_objects_is_a_page_or_says_how_long_it_gets():
    """A list of which nothing is known would be counted as ten: each one is declared, or short by nature."""
    short = {
        "Query.recommendationsFor",
        "ProductConnection.edges",
        "RecommendationConnection.edges",
        "PortraitEvidence.events",
        "PastEventConnection.edges",
        "Query.feedback",
    }
    for type_ in schema._schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        for name, field in type_.fields.items():
            is_list = isinstance(get_nullable_type(field.type), GraphQLList)
            if is_list and isinstance(get_named_type(field.type), GraphQLObjectType):
                declared = getattr(field.extensions.get(DEFINITION), "metadata", None) or {}
                assert MOST in declared or f"{type_.name}.{name}" in short, f"{type_.name}.{name}"
