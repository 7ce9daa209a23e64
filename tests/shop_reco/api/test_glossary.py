"""Whoever reads the schema finds a sentence at every type, field and argument."""

from __future__ import annotations

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, is_enum_type

from shop_reco.api.glossary import undescribed, unused
from shop_reco.api.schema import schema


def test_everything_is_described():
    assert undescribed(schema) == []


def test_nothing_is_described_that_is_not_there():
    assert unused(schema) == set()


def test_connections_have_the_form_that_relay_expects():
    for name, type_ in schema._schema.type_map.items():
        if name.endswith("Connection"):
            edges = type_.fields["edges"].type
            assert isinstance(edges, GraphQLNonNull)
            assert isinstance(edges.of_type, GraphQLList)
            edge = edges.of_type.of_type.of_type
            assert {"node", "cursor"} <= edge.fields.keys()
            page = {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}
            assert page <= type_.fields["pageInfo"].type.of_type.fields.keys()


def test_closed_sets_are_enums_in_upper_case():
    enums = [each for each in schema._schema.type_map.values() if is_enum_type(each) and not each.name.startswith("__")]
    assert len(enums) > 8
    assert all(value == value.upper() for each in enums for value in each.values)


def test_every_payload_of_a_mutation_tells_its_errors():
    told = {"errors", "rejected"}
    for field in schema._schema.mutation_type.fields.values():
        payload = field.type.of_type
        assert isinstance(payload, GraphQLObjectType)
        assert told & payload.fields.keys(), payload.name
