"""GraphQL over HTTP refuses by status what is no request to it."""

from __future__ import annotations

import json

import pytest

from shop_reco.users.services import issue_key, revoke_key
from tests.shop_reco.graphql import ask

JSON = {"method": "POST", "content_type": "application/json"}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "POST", "content_type": "text/plain", "data": "{}"}, 415),
        ({**JSON, "data": "[]"}, 400),
        ({**JSON, "data": '{"query": NaN}'}, 400),
        ({**JSON, "data": "x" * 300_000}, 413),
        ({**JSON, "data": "{}", "headers": {"Origin": "https://evil.example"}}, 403),
    ],
)
def test_what_is_no_graphql_request_is_refused_by_status(db, client, request_, status):
    assert client.generic(request_.pop("method"), "/graphql/", **request_).status_code == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": ""}, "BAD_JSON"),
        ({"query": "   "}, "BAD_JSON"),
        ({"query": "type A { a: Int }"}, "BAD_DOCUMENT"),
        ({"query": "query A { me { known } }", "operationName": "B"}, "BAD_DOCUMENT"),
        ({"query": "query A { me { known } }", "operationName": "\ud800"}, "BAD_DOCUMENT"),
        ({"query": "{ me { known } }", "operationName": 3}, "BAD_JSON"),
        ({"query": "subscription { me { known } }"}, "BAD_DOCUMENT"),
        ({"query": "{ me { known } }", "variables": []}, "BAD_JSON"),
        ({"query": "\ud800" * 15_001}, "DOCUMENT_TOO_LARGE"),
    ],
)
def test_a_malformed_operation_is_a_typed_refusal(db, client, body, code):
    reply = client.post("/graphql/", body, content_type="application/json")
    assert reply.json()["errors"][0]["extensions"]["code"] == code
    assert reply.status_code in (200, 400, 413)


def test_only_a_key_that_is_known_may_send_more_than_a_browser(db, client):
    key, plain = issue_key(name="server", scopes=["events:write"])

    def sent(body, authorization):
        headers = {"Authorization": authorization} if authorization else {}
        return client.generic("POST", "/graphql/", body, "application/json", headers=headers).status_code

    body = json.dumps({"query": "{ me { known } }", "variables": {"pad": "x" * 300_000}})
    assert sent(body, f"Bearer {plain}") == 200
    assert sent(body + " " * 800_000, f"Bearer {plain}") == 413
    assert [sent(body, each) for each in ("", "Bearer wrong.key", "Basic eDp5", f"Bearer {plain}x")] == [
        413, 403, 403, 403
    ]  # fmt: skip
    revoke_key(key=key)
    assert sent(body, f"Bearer {plain}") == 403


def test_a_wrong_key_is_refused_before_the_body_is_read(db, client):
    key, plain = issue_key(name="server", scopes=["events:write"])
    codes = []
    for secret, body in ((plain, "{"), (f"{key.prefix}.wrong", "{"), (f"{key.prefix}.wrong", "{" * 2_000_000)):
        headers = {"Authorization": f"Bearer {secret}"}
        codes.append(client.generic("POST", "/graphql/", body, "application/json", headers=headers).status_code)
    assert codes == [400, 403, 403]


def test_an_origin_that_is_no_address_is_refused(db, client):
    reply = client.generic("POST", "/graphql/", "{}", "application/json", headers={"Origin": "http://[::1"})
    assert reply.status_code == 403


def test_only_unforeseen_errors_are_internal(db, client, monkeypatch):
    monkeypatch.setattr("shop_reco.api.queries.consent_states", lambda shopper: 1 / 0)
    (error,) = ask(client, "{ me { known } }")["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "division" not in error["message"]
