"""Python and the database read the same tags in whatever a shop wrote."""

from __future__ import annotations

import json

import pytest
from django.db.models import JSONField, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.products.models import Product
from shop_reco.products.selectors import shelf_rows
from shop_reco.products.tags import LONGEST_TAG, MOST_TAGS, HasAnyTag, tags_in

NAMES = [
    "Sale", "sale", " Sale ", "", " ", "\t",
    "1", "true", "null", "é", "e\u0301", "折扣", "🙂", "\u2028", "٣", 'a"b', "a'b",
    "a\\b", "\\u0041", "%", "_", "{", "$.tags", '["Sale"]', "x" * LONGEST_TAG, "x" * (LONGEST_TAG + 1),
]  # fmt: skip
ODD = [
    {"tags": "Sale"},
    {"tags": '["Sale"]'},
    {"tags": '{"0": "Sale"}'},
    {"tags": {"Sale": 1, "0": "Sale"}},
    {"tags": ["Sale", ["sale"], {"é": "é"}, 1, 1.0, True, None]},
    {"tags": [["Sale"]]},
    {"tags": [json.dumps("Sale"), json.dumps(["sale"])]},
    {"tags": [1, "true", None, "null"]},
    {"tags": 1},
    {"tags": None},
    {"tags": True},
    {"tags": []},
    {"tags": [*map(str, range(100, 100 + MOST_TAGS - 1)), "Sale", "sale"]},
    {"tags": [*([None] * (MOST_TAGS - 1)), "Sale", "sale"]},
    {"tags": ["Sale"] * 3},
    {"Tags": ["Sale"]},
    {"a": {"tags": ["Sale"]}},
    {"tags": NAMES},
    {},
    [],
    [{"tags": ["Sale"]}],
    ["tags"],
    "tags",
    '{"tags": ["Sale"]}',
    None,
    7,
]
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.sampled_from(NAMES) | st.text(characters, max_size=LONGEST_TAG + 2)
leaves = texts | st.integers(-(2**60), 2**60) | st.floats(-1e6, 1e6) | st.booleans() | st.none()
anything = st.recursive(leaves, lambda each: st.lists(each, max_size=4) | st.dictionaries(texts, each, max_size=3))
written = st.builds(lambda tags: {"tags": tags}, st.lists(anything, max_size=MOST_TAGS + 5) | anything) | anything


@pytest.fixture
def product(db):
    return Product.objects.create(sku="p", title="p", currency="EUR")


def agree(attributes, names):
    """Store it, and compare what Python reads with what the database finds."""
    Product.objects.update(attributes=Value(attributes, JSONField()))
    tags = tags_in(attributes.get("tags")) if isinstance(attributes, dict) else []
    (row,) = shelf_rows()
    assert tags_in(row.tags) == tags
    for name in {*names, *tags}:
        assert Product.objects.filter(HasAnyTag(name)).exists() == (name in tags), (name, attributes)
        assert Product.objects.exclude(HasAnyTag(name)).exists() == (name not in tags), (name, attributes)
    assert Product.objects.filter(HasAnyTag(*names)).exists() == bool(set(names) & set(tags))


@pytest.mark.parametrize("attributes", ODD, ids=lambda each: json.dumps(each)[:40])
def test_the_database_finds_the_tags_that_python_reads(product, attributes):
    agree(attributes, NAMES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attributes=written, names=st.lists(texts, min_size=1, max_size=4))
def test_the_database_finds_the_tags_that_python_reads_whatever_is_written(product, attributes, names):
    agree(attributes, names)


def test_a_tag_counts_as_it_is_written_among_the_first_and_of_bounded_length():
    assert tags_in(["Sale", "Sale", "sale", "", 1, "x" * LONGEST_TAG, "x" * (LONGEST_TAG + 1)]) == [
        "Sale",
        "sale",
        "x" * LONGEST_TAG,
    ]
    assert tags_in([*([1] * (MOST_TAGS - 1)), "last", "late"]) == ["last"]
    assert tags_in("Sale") == tags_in(None) == tags_in({"Sale": 1}) == []


def test_tags_that_no_product_can_have_are_not_looked_for(product, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not list(Product.objects.filter(HasAnyTag("", "x" * (LONGEST_TAG + 1))))
    assert list(Product.objects.exclude(HasAnyTag(""))) == [product]
