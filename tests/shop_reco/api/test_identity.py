"""A server's key speaks for the shopper that it names, and a browser names nobody."""

from __future__ import annotations

import math

import pytest

from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import LIST, ask


def test_graphql_answers_a_servers_question_for_its_shopper(trained, client):
    _, plain = issue_key(name="server", scopes=["lists:read", "events:write"])
    reply = ask(client, LIST, {"n": 10}, Authorization=f"Bearer {plain}", X_Shopper="h0")
    edges = reply["data"]["recommendations"]["edges"]
    assert len(edges) == 10
    for edge in edges:
        assert math.fsum(r["points"] for r in edge["reasons"]) == pytest.approx(edge["score"], rel=1e-6)


def test_a_browser_that_names_a_shopper_is_refused(trained, client):
    assert ask(client, LIST, {"n": 1}, X_Shopper="h0")["errors"][0]["extensions"]["code"] == "FORBIDDEN"
