"""The catalogue ends the same whatever arrives first, and a bad row costs its neighbours nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.events.models import Event
from shop_reco.products.models import Product, ProductTranslation
from shop_reco.products.selectors import catalogue_revision
from shop_reco.products.services import (
    ProductDraft,
    State,
    TranslationDraft,
    delete_products,
    import_products,
    save_product,
    set_price,
    set_stock,
    set_visibility,
    upsert_products,
)

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def at(minutes):
    return START + dt.timedelta(minutes=minutes)


def tea(minutes=None, **fields):
    moment = None if minutes is None else at(minutes)
    return ProductDraft(**{"sku": "tea", "title": "Tea", "updated_at": moment, **fields})


def states(outcomes):
    return [outcome.state.value for outcome in outcomes]


BAD = [
    ({"sku": ""}, "sku", "EMPTY"),
    ({"sku": "x" * 65}, "sku", "TOO_LONG"),
    ({"title": "  "}, "title", "EMPTY"),
    ({"title": "t" * 257}, "title", "TOO_LONG"),
    ({"title": "a\x00b"}, "title", "BAD_FIELD"),
    ({"title": "a\ud800b"}, "title", "BAD_FIELD"),
    ({"title": 7}, "title", "BAD_FIELD"),
    ({"description": "d" * 1_000_000}, "description", "TOO_LONG"),
    ({"price": Decimal("-0.01")}, "price", "BAD_FIELD"),
    ({"price": Decimal("NaN")}, "price", "BAD_FIELD"),
    ({"price": "a lot"}, "price", "BAD_FIELD"),
    ({"currency": "EURO"}, "currency", "TOO_LONG"),
    ({"currency": "12"}, "currency", "BAD_FIELD"),
    ({"stock": -1}, "stock", "BAD_FIELD"),
    ({"stock": 2**31}, "stock", "BAD_FIELD"),
    ({"stock": True}, "stock", "BAD_FIELD"),
    ({"category": ("a > b",)}, "category", "BAD_FIELD"),
    ({"category": ("a", "")}, "category", "EMPTY"),
    ({"brand": "b" * 129}, "brand", "TOO_LONG"),
    ({"attributes": {"n": float("nan")}}, "attributes", "BAD_FIELD"),
    ({"attributes": {"n": "\x00"}}, "attributes", "BAD_FIELD"),
    ({"attributes": {"n": "x" * 10_001}}, "attributes", "TOO_LONG"),
    ({"parent_sku": "bad"}, "parent_sku", "BAD_PARENT"),
    ({"parent_sku": "nobody"}, "parent_sku", "UNKNOWN_PARENT"),
    ({"updated_at": dt.datetime(2026, 1, 1)}, "updated_at", "BAD_FIELD"),
    ({"updated_at": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)}, "updated_at", "IN_FUTURE"),
    ({"translations": {"../": TranslationDraft(title="x")}}, "translations", "BAD_FIELD"),
    ({"translations": {"zh-hans": TranslationDraft(title="")}}, "translations.zh-hans.title", "EMPTY"),
]


@pytest.mark.parametrize(("wrong", "field", "code"), BAD, ids=[f"{row[1]}-{n}" for n, row in enumerate(BAD)])
def test_a_bad_row_names_its_field_and_its_neighbours_are_kept(db, wrong, field, code):
    rows = [
        ProductDraft(sku="first", title="First"),
        ProductDraft(**{"sku": "bad", "title": "Bad", **wrong}),
        ProductDraft(sku="last", title="Last"),
    ]
    before, bad, after = upsert_products(rows=rows)
    assert (bad.state, bad.index, bad.field, bad.code) == (State.REJECTED, 1, field, code)
    assert bad.message
    assert (before.state, after.state) == (State.STORED, State.STORED)
    assert set(Product.objects.values_list("sku", flat=True)) == {"first", "last"}


def test_an_older_account_never_overwrites_a_newer_one(db):
    assert states(upsert_products(rows=[tea(5, title="New", price=Decimal("5"), stock=5)])) == ["stored"]
    revision = catalogue_revision()
    assert states(upsert_products(rows=[tea(4, title="Old", price=Decimal("4"), stock=4)])) == ["stale"]
    product = Product.objects.get()
    assert (product.title, product.price, product.stock) == ("New", Decimal("5.00"), 5)
    assert catalogue_revision() == revision


def test_with_equal_clocks_the_last_to_arrive_wins(db):
    upsert_products(rows=[tea(5, title="First")])
    assert states(upsert_products(rows=[tea(5, title="Second")])) == ["stored"]
    assert Product.objects.get().title == "Second"


def test_without_a_clock_a_row_is_of_this_moment(db):
    upsert_products(rows=[tea(5, title="Dated")])
    assert states(upsert_products(rows=[tea(title="Now")])) == ["stored"]
    assert states(upsert_products(rows=[tea(6, title="Dated later, but before now")])) == ["stale"]
    assert abs(timezone.now() - Product.objects.get().described_at) < dt.timedelta(seconds=30)


def test_stock_and_price_have_clocks_of_their_own(db):
    upsert_products(rows=[tea(1, price=Decimal("1"), stock=1)])
    product = Product.objects.get()
    assert set_stock(product=product, stock=9, at=at(10))
    assert set_price(product=product, price=Decimal("9.90"), currency="eur", at=at(10))
    assert not set_stock(product=product, stock=3, at=at(3))
    assert not set_price(product=product, price=Decimal("3"), at=at(3))
    assert states(upsert_products(rows=[tea(5, title="Described later", price=Decimal("5"), stock=5)])) == ["stored"]
    product.refresh_from_db()
    assert (product.title, product.stock) == ("Described later", 9)
    assert (product.price, product.currency) == (Decimal("9.90"), "EUR")


def test_what_a_row_does_not_say_stays(db):
    upsert_products(rows=[tea(1, price=Decimal("1"), stock=1, visible=False)])
    upsert_products(rows=[tea(2, title="New", unsaid=frozenset({"price", "stock", "visible"}))])
    product = Product.objects.get()
    assert (product.title, product.price, product.stock, product.visible) == ("New", Decimal("1.00"), 1, False)


def test_what_staff_hid_stays_hidden_under_an_older_account(db):
    upsert_products(rows=[tea(1)])
    set_visibility(products=[Product.objects.get()], visible=False)
    upsert_products(rows=[tea(2, title="New")])
    product = Product.objects.get()
    assert (product.title, product.visible) == ("New", False)
    upsert_products(rows=[tea(visible=True)])
    assert Product.objects.get().visible


def test_what_staff_edit_keeps_what_another_writer_changed_meanwhile(db):
    upsert_products(rows=[tea(1, stock=1)])
    opened = Product.objects.get()
    set_stock(product=opened, stock=7, at=at(2))
    opened.title = "Edited"
    save_product(product=opened, changed=["title"])
    product = Product.objects.get()
    assert (product.title, product.stock, product.stocked_at) == ("Edited", 7, at(2))
    assert product.described_at > at(2)


def test_a_deleted_product_is_not_brought_back_by_an_older_create(db):
    upsert_products(rows=[tea(1)])
    assert states(delete_products(skus=["tea"], at=at(5))) == ["stored"]
    assert states(upsert_products(rows=[tea(4)])) == ["stale"]
    assert Product.objects.get().deleted_at == at(5)
    assert states(upsert_products(rows=[tea(6)])) == ["stored"]
    assert Product.objects.get().deleted_at is None
    assert states(delete_products(skus=["tea"], at=at(5))) == ["stale"]
    assert Product.objects.get().deleted_at is None


def test_a_deletion_of_a_product_that_is_not_known_yet_holds(db):
    assert states(delete_products(skus=["tea", ""], at=at(5))) == ["stored", "rejected"]
    assert states(upsert_products(rows=[tea(4)])) == ["stale"]
    assert not Product.objects.get().open
    assert states(upsert_products(rows=[tea(6)])) == ["stored"]
    assert Product.objects.get().open


def test_of_a_delete_and_a_create_at_the_same_moment_the_delete_wins(db):
    delete_products(skus=["tea"], at=at(5))
    upsert_products(rows=[tea(5)])
    assert Product.objects.get().deleted_at == at(5)
    upsert_products(rows=[tea(5, sku="milk")])
    delete_products(skus=["milk"], at=at(5))
    assert Product.objects.get(sku="milk").deleted_at == at(5)


def test_deleting_keeps_every_event(shop):
    sold = shop.products["Tea-1"]
    before = Event.objects.filter(product=sold).count()
    delete_products(skus=["Tea-1"])
    assert before > 0
    assert Event.objects.filter(product=sold).count() == before
    upsert_products(rows=[ProductDraft(sku="Tea-1", title="Back")])
    assert Product.objects.get(sku="Tea-1").public_id == sold.public_id


def test_the_same_sku_twice_in_one_call_is_merged_in_order(db):
    assert states(upsert_products(rows=[tea(2, title="B"), tea(1, title="A"), tea(3, title="C")])) == [
        "stored", "stale", "stored",
    ]  # fmt: skip
    assert Product.objects.get().title == "C"


def test_a_variant_finds_its_parent_in_the_same_call_whatever_comes_first(db):
    rows = [ProductDraft(sku="small", title="Small", parent_sku="tea"), ProductDraft(sku="tea", title="Tea")]
    assert states(upsert_products(rows=rows)) == ["stored", "stored"]
    assert Product.objects.get(sku="small").parent.sku == "tea"
    deep = ProductDraft(sku="deep", title="Deep", parent_sku="small")
    above = ProductDraft(sku="tea", title="Tea", parent_sku="deep")
    (outcome,) = upsert_products(rows=[deep])
    assert (outcome.code, outcome.field) == ("BAD_PARENT", "parent_sku")
    (outcome,) = upsert_products(rows=[ProductDraft(sku="other", title="Other"), above][1:])
    assert outcome.state is State.REJECTED


def test_an_import_names_the_row_and_keeps_the_batches_before_it(db):
    drafts = [ProductDraft(sku=f"s{n}", title="" if n == 3 else "Title") for n in range(5)]
    with pytest.raises(ValueError, match="title of s3 must not be empty"):
        import_products(drafts=drafts, batch=2)
    assert set(Product.objects.values_list("sku", flat=True)) == {"s0", "s1"}


def test_a_large_call_costs_as_many_queries_as_a_small_one(db, django_assert_max_num_queries):
    def rows(n):
        return [ProductDraft(sku=f"s{i}", title="T", category=("A",), brand="B") for i in range(n)]

    upsert_products(rows=rows(1))
    with django_assert_max_num_queries(30):
        upsert_products(rows=rows(400))
    assert Product.objects.count() == 400


def test_translations_are_told_with_a_clock_for_each_language(db):
    def told(minutes, **titles):
        return tea(minutes, translations={name: TranslationDraft(title=title) for name, title in titles.items()})

    upsert_products(rows=[told(5, zh="绿茶", de="Tee")])
    upsert_products(rows=[told(4, zh="旧", fr="Thé")])
    titles = dict(ProductTranslation.objects.values_list("language", "title"))
    assert titles == {"zh": "绿茶", "de": "Tee", "fr": "Thé"}


# What a source may say, each at a moment of its own; the catalogue must not depend on the order of arrival.
SAYINGS = st.lists(
    st.tuples(st.sampled_from(["upsert", "delete", "stock", "price"]), st.sampled_from(["a", "b"]), st.integers(0, 9)),
    min_size=1,
    max_size=8,
)


def say(kind, sku, value, minutes):
    known = Product.objects.filter(sku=sku).first()
    match kind:
        case "upsert":
            translations = {"de": TranslationDraft(title=f"D{value}")} if value % 2 else {}
            upsert_products(
                rows=[
                    ProductDraft(
                        sku=sku,
                        title=f"T{value}",
                        category=(f"C{value}",),
                        price=Decimal(value),
                        stock=value,
                        visible=value % 3 > 0,
                        translations=translations,
                        updated_at=at(minutes),
                    )
                ]
            )
        case "delete":
            delete_products(skus=[sku], at=at(minutes))
        case "stock":
            set_stock(product=known, stock=value, at=at(minutes))
        case "price":
            set_price(product=known, price=Decimal(value), at=at(minutes))


def catalogue():
    columns = (
        "sku", "title", "category__path", "price", "stock", "visible", "deleted_at", "described_at", "priced_at",
        "stocked_at", "listed_at",
    )  # fmt: skip
    told = ProductTranslation.objects.order_by("product__sku", "language")
    return (
        list(Product.objects.order_by("sku").values_list(*columns)),
        list(told.values_list("product__sku", "language", "title", "said_at")),
    )


def ended(sayings):
    """The catalogue that the sayings lead to, from one with both products; nothing of it is kept."""
    with transaction.atomic():
        upsert_products(rows=[ProductDraft(sku=sku, title="Start", updated_at=at(-1)) for sku in ("a", "b")])
        for minutes, (kind, sku, value) in sayings:
            say(kind, sku, value, minutes)
        state = catalogue()
        transaction.set_rollback(True)
    return state


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sayings=SAYINGS, data=st.data())
def test_any_order_of_the_same_updates_ends_in_the_same_catalogue(db, sayings, data):
    dated = list(enumerate(sayings))
    assert ended(data.draw(st.permutations(dated))) == ended(dated)


def test_the_control_without_clocks_the_order_decides(db, monkeypatch):
    """The same probe fires where a later arrival always wins."""
    from shop_reco.products import merging

    monkeypatch.setattr(merging, "CLOCKS", {})

    def told(product, said, moment):
        for values in said.values():
            for column, value in values.items():
                setattr(product, column, value)
        return True

    monkeypatch.setattr(merging, "told", told)
    dated = [(1, ("stock", "a", 1)), (2, ("stock", "a", 2))]
    assert ended(dated) != ended(dated[::-1])
