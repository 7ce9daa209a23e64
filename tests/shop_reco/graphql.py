"""A question put to the GraphQL address, and the one for a list."""

from __future__ import annotations

import json


def ask(client, query, variables=None, **headers):
    reply = client.post(
        "/graphql/", {"query": query, "variables": variables or {}}, content_type="application/json", headers=headers
    )
    return json.loads(reply.content)


LIST = """
query($n: Int!, $after: String) {
  recommendations(first: $n, after: $after) {
    rung
    slateId
    edges { cursor rank score placedBy node { id sku } reasons { kind points text } }
    pageInfo { hasNextPage }
  }
}
"""
