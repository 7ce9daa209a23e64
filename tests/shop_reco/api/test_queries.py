"""A query that cannot be answered gets a typed error."""

from __future__ import annotations

from tests.shop_reco.graphql import LIST, ask


def test_a_bad_page_is_a_typed_error(trained, client):
    assert ask(client, LIST, {"n": 1000})["errors"][0]["extensions"]["code"] == "BAD_PAGE"
