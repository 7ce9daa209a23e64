"""A shop's server keeps the catalogue up to date; nobody else may."""

from __future__ import annotations

import pytest

from shop_reco.products.models import Product, ProductTranslation
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

UPSERT = """
mutation($p: [ProductInput!]!) {
  upsertProducts(products: $p) { stored stale rejected { index sku code field message } }
}
"""
DELETE = """
mutation($s: [String!]!, $at: DateTime) {
  deleteProducts(skus: $s, deletedAt: $at) { stored stale rejected { index code field } }
}
"""
TEA = {"sku": "tea", "title": "Tea"}


@pytest.fixture
def key(db):
    return {"Authorization": f"Bearer {issue_key(name='server', scopes=['catalogue:write'])[1]}"}


def test_rows_are_stored_each_with_its_own_outcome(client, key):
    rows = [
        {
            **TEA, "category": ["Drinks", "Tea"], "price": "3.20", "stock": 4, "attributes": {"organic": True},
            "translations": [{"language": "zh-hans", "title": "茶"}], "updatedAt": "2026-01-01T10:00:00Z",
        },
        {"sku": "pie", "title": " "},
        {"sku": "small", "title": "Small tea", "parentSku": "tea"},
        {"sku": "bad", "title": "Bad", "price": "-1"},
    ]  # fmt: skip
    outcome = ask(client, UPSERT, {"p": rows}, **key)["data"]["upsertProducts"]
    assert (outcome["stored"], outcome["stale"]) == (2, 0)
    assert [(each["index"], each["sku"], each["code"], each["field"]) for each in outcome["rejected"]] == [
        (1, "pie", "EMPTY", "title"), (3, "bad", "BAD_FIELD", "price"),
    ]  # fmt: skip
    tea = Product.objects.get(sku="tea")
    assert (tea.category.path, str(tea.price), tea.stock, tea.attributes) == (
        "Drinks > Tea",
        "3.20",
        4,
        {"organic": True},
    )
    assert ProductTranslation.objects.get().title == "茶"
    older = {**TEA, "title": "Old", "updatedAt": "2026-01-01T09:00:00Z"}
    assert ask(client, UPSERT, {"p": [older]}, **key)["data"]["upsertProducts"]["stale"] == 1


def test_what_is_left_out_stays_and_null_means_not_counted(client, key):
    ask(client, UPSERT, {"p": [{**TEA, "price": "3.20", "stock": 4, "visible": False}]}, **key)
    ask(client, UPSERT, {"p": [{**TEA, "title": "Tea again"}]}, **key)
    tea = Product.objects.get()
    assert (tea.title, str(tea.price), tea.stock, tea.visible) == ("Tea again", "3.20", 4, False)
    ask(client, UPSERT, {"p": [{**TEA, "stock": None, "visible": True}]}, **key)
    tea.refresh_from_db()
    assert (tea.stock, tea.visible) == (None, True)


def test_products_are_deleted_for_good(client, key):
    ask(client, UPSERT, {"p": [{**TEA, "updatedAt": "2026-01-01T10:00:00Z"}]}, **key)
    early = ask(client, DELETE, {"s": ["tea"], "at": "2026-01-01T09:00:00Z"}, **key)["data"]["deleteProducts"]
    assert early == {"stored": 0, "stale": 1, "rejected": []}
    gone = ask(client, DELETE, {"s": ["tea", ""]}, **key)["data"]["deleteProducts"]
    assert (gone["stored"], gone["rejected"]) == (1, [{"index": 1, "code": "EMPTY", "field": "sku"}])
    assert ask(client, '{ product(sku: "tea") { sku } }')["data"]["product"] is None


def test_only_a_key_with_the_scope_may_write(client, db):
    other = {"Authorization": f"Bearer {issue_key(name='other', scopes=['events:write'])[1]}"}
    for headers in ({}, other):
        for document, variables in ((UPSERT, {"p": [TEA]}), (DELETE, {"s": ["tea"]})):
            (error,) = ask(client, document, variables, **headers)["errors"]
            assert error["extensions"]["code"] == "FORBIDDEN"
    assert not Product.objects.exists()


def test_more_than_five_hundred_are_refused_whole(client, key):
    rows = [{"sku": f"s{n}", "title": "T"} for n in range(501)]
    (error,) = ask(client, UPSERT, {"p": rows}, **key)["errors"]
    assert (error["extensions"]["code"], error["message"]) == (
        "BATCH_TOO_LARGE",
        "501 rows; send 500 at most in one call",
    )
    assert not Product.objects.exists()
    assert ask(client, UPSERT, {"p": rows[:500]}, **key)["data"]["upsertProducts"]["stored"] == 500


def test_what_no_database_takes_is_a_typed_error_of_its_row(client, key):
    wrong = [{"title": "a\u0000"}, {"title": "\ud800"}, {"sku": "\u0000"}, {"brand": "\ud800"}, {"attributes": [1]}]
    rows = [{"sku": f"s{n}", "title": "T", **each} for n, each in enumerate(wrong)]
    outcome = ask(client, UPSERT, {"p": rows}, **key)["data"]["upsertProducts"]
    assert {each["code"] for each in outcome["rejected"]} == {"BAD_FIELD"}
    assert len(outcome["rejected"]) == 5
