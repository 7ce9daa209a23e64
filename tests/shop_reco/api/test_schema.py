"""Documents are bounded in size and depth."""

from __future__ import annotations

import pytest

from tests.shop_reco.graphql import ask

EVIDENCE = "{ recommendations { edges { reasons { evidence { category { name } } } } } }"


def nested(n):
    """Fragments that each spread the next one twice."""
    links = [f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(n)]
    return " ".join(["{ ...f0 }", *links, f"fragment f{n} on Query {{ a: me {{ known }} }}"])


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ " + " ".join(f"a{n}: me {{ known }}" for n in range(16)) + " }", "ALIAS_LIMIT"),
        ("{ " + "me { known } " * 600 + "}", "TOKEN_LIMIT"),
        ("{ " + "me { " * 9 + "known" + " }" * 9 + " }", "DEPTH_LIMIT"),
        (nested(60), "ALIAS_LIMIT"),
        ("{ me {", "BAD_DOCUMENT"),
        ("{ nothing }", "BAD_DOCUMENT"),
        ("{ me { known } } { me { known } }", "BAD_DOCUMENT"),
        ("query($n: Nothing) { me { known } }", "BAD_DOCUMENT"),
        ("query($n: String) { recommendations(first: $n) { rung } }", "BAD_DOCUMENT"),
    ],
)
def test_a_document_that_is_too_large_or_no_document_is_refused(db, client, document, code):
    assert ask(client, document)["errors"][0]["extensions"]["code"] == code


def test_the_deepest_list_and_introspection_are_allowed(trained, client):
    assert "errors" not in ask(client, EVIDENCE)
    assert "errors" not in ask(client, "{ __schema { types { name } } }")
