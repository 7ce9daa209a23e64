"""GraphQL over HTTP refuses by status what is no request to it."""

from __future__ import annotations

import pytest

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
