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
        ("{ categories(n: [" + "1 " * 1000 + "]) { name } }", "TOKEN_LIMIT"),
        ("{ " + "me { known } " * 61 + "}", "REPEAT_LIMIT"),
        ("{ me { known " + "@include(if: true) " * 11 + "} }", "DIRECTIVE_LIMIT"),
        ("{ me { known " + "@nothing " * 11 + "} }", "DIRECTIVE_LIMIT"),
        ("{ me { known } #" + "x" * 15_000 + "\n }", "DOCUMENT_TOO_LARGE"),
        ("{ " + "categories { name } " * 11 + "}", "ROOT_LIMIT"),
        ("{ " + "me { " * 9 + "known" + " }" * 9 + " }", "DEPTH_LIMIT"),
        (nested(40), "ALIAS_LIMIT"),
        ("{ me {", "BAD_DOCUMENT"),
        ("{ nothing }", "BAD_DOCUMENT"),
        ("query a { me { known } } query b { me { known } }", "OPERATION_LIMIT"),
        ("{ me { ...a } } fragment a on Shopper { known ...b } fragment b on Shopper { ...a }", "BAD_DOCUMENT"),
        ("{ me { known } } fragment a on Shopper { known }", "BAD_DOCUMENT"),
        ("query($n: Nothing) { me { known } }", "BAD_DOCUMENT"),
        ("query($n: String) { recommendations(first: $n) { rung } }", "BAD_DOCUMENT"),
    ],
)
def test_a_document_that_is_too_large_or_no_document_is_refused(db, client, document, code):
    assert ask(client, document)["errors"][0]["extensions"]["code"] == code


def test_the_deepest_list_is_allowed(trained, client):
    assert "errors" not in ask(client, EVIDENCE)


@pytest.mark.parametrize("question", ["__schema { types { name } }", '__type(name: "Query") { name }'])
def test_the_schema_tells_of_itself_in_development_only(db, client, settings, question):
    assert ask(client, f"{{ {question} }}")["errors"][0]["extensions"]["code"] == "INTROSPECTION_OFF"
    assert ask(client, "{ me { __typename } }")["data"] == {"me": {"__typename": "Shopper"}}
    settings.DEBUG = True
    assert "errors" not in ask(client, f"{{ {question} }}")
