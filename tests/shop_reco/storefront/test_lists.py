"""What a page makes of a list."""

from __future__ import annotations

import pytest

from shop_reco.storefront.lists import linked

TEA = {"title": "Tea & co", "url": "/tea/"}
SOAP = {"title": "Soap", "url": "/soap/"}


@pytest.mark.parametrize(
    ("text", "evidence", "parts"),
    [
        ("Popular now", [], [("Popular now", "")]),
        ("Often chosen with Tea & co", [TEA], [("Often chosen with ", ""), ("Tea & co", "/tea/"), ("", "")]),
        (
            "With Tea & co and Soap!",
            [TEA, SOAP],
            [("With ", ""), ("Tea & co", "/tea/"), (" and ", ""), ("Soap", "/soap/"), ("!", "")],
        ),
        ("Like others", [TEA], [("Like others", "")]),
        ("With Soap", [SOAP | {"url": None}], [("With Soap", "")]),
        ("With nothing", [{"title": "", "url": "/x/"}], [("With nothing", "")]),
    ],
)
def test_a_reason_leads_to_the_products_that_it_names(text, evidence, parts):
    assert [(each["text"], each["url"]) for each in linked(text, evidence)] == parts
