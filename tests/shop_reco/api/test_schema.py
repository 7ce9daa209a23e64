"""Documents are bounded in size and depth."""

from __future__ import annotations

from tests.shop_reco.graphql import ask


def test_a_document_that_is_too_large_or_too_deep_is_refused(db, client):
    assert "errors" in ask(client, "{ " + " ".join(f"a{n}: me {{ known }}" for n in range(16)) + " }")
    assert "errors" in ask(client, "{ " + "me { known } " * 600 + "}")
