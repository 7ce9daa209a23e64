"""The catalogue from files."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from shop_reco.products.imports import SkusSeen
from shop_reco.products.models import Category, Product


@pytest.fixture
def command(capsys):
    def called(*arguments):
        call_command("import_products", *map(str, arguments))
        return capsys.readouterr().out

    return called


@pytest.fixture
def written(tmp_path, db):
    def writing(text, name="products.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return writing


def skus(**narrowed):
    return sorted(Product.objects.filter(**narrowed).values_list("sku", flat=True))


def test_a_row_says_all_of_a_product(written, command):
    path = written(
        "sku,title,description,category,brand,price,currency,stock,visible,available_from,available_until,"
        "attributes,attr:size\n"
        '1,Green tea,"Fine, and green",Food > Tea,Leaf,2.50,eur,3,no,2026-01-01T00:00:00Z,2026-02-01,'
        '"{""bio"": true}",100 g\n'
        "2,Bowl,,,,,,,,,,,\n"
    )
    assert command(path, "--time-zone", "UTC") == (
        f"{path}: 2 rows read: 2 taken, 0 older than what is known, 0 rejected\n"
    )
    tea, bowl = Product.objects.order_by("sku")
    assert (tea.title, tea.description, tea.category.path, tea.brand.name) == (
        "Green tea", "Fine, and green", "Food > Tea", "Leaf",
    )  # fmt: skip
    assert (tea.price, tea.currency, tea.stock, tea.visible) == (Decimal("2.50"), "EUR", 3, False)
    assert tea.available_from == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert tea.available_until == dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    assert tea.attributes == {"bio": True, "size": "100 g"}
    assert (bowl.price, bowl.stock, bowl.visible, bowl.category, bowl.attributes) == (None, None, True, None, {})


def test_variants_may_stand_before_their_parents(written, command, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "IMPORT_BATCH": 2}
    path = written(
        "sku,title,parent\nv1,Small,p\nv2,Large,p\na,A,\nb,B,\np,Shirt,\nv3,Medium,p\nx,X,nobody\ny,Y,v1\nz,Z,z\n"
    )
    told = command(path)
    assert "9 rows read: 6 taken, 0 older than what is known, 3 rejected (BAD_PARENT 2, UNKNOWN_PARENT 1)" in told
    assert skus(parent__sku="p") == ["v1", "v2", "v3"]
    errors = path.with_name("products.errors.csv").read_text("utf-8-sig")
    assert "8,parent,UNKNOWN_PARENT,parent names an unknown product; import parents first,,x,X,nobody" in errors
    assert "9 rows read: 6 taken" in command(path, "--dry-run")


def test_the_same_file_again_changes_nothing_and_a_sku_given_twice_counts_last(written, command):
    path = written("sku,title\n1,Old\n2,Two\n1,New\n")
    for _ in range(2):
        assert "3 rows read: 3 taken, 0 older than what is known, 0 rejected" in command(path)
        assert list(Product.objects.order_by("sku").values_list("sku", "title")) == [("1", "New"), ("2", "Two")]


def test_good_rows_beside_bad_ones_are_taken_and_the_bad_ones_can_be_mended(written, command):
    long = "x" * 257
    path = written(
        "sku;title;price;stock;visible;currency;attributes;category\n"
        f"1;Tea;;;;;;\n;No sku;;;;;;\n2;{long};;;;;;\n3;T;=1+1;;;;;\n4;T;;1.5;;;;\n5;T;;;perhaps;;;\n6;T;;;;EURO;;\n"
        "7;T;;;;;[1];\n" + f"8;T;;;;;;{'c' * 129}\n9;Cheese;1,50;2.0;yes;usd;;Food/Cheese\n"
    )
    told = command(path, "--separator", "/", "--decimal-comma")
    assert "10 rows read: 2 taken, 0 older than what is known, 8 rejected (BAD_FIELD 4, EMPTY 1, TOO_LONG 3)" in told
    errors = path.with_name("products.errors.csv")
    rows = sorted(line.split(";")[:4] for line in errors.read_text("utf-8-sig").splitlines()[1:])
    assert rows == [
        ["10", "category", "TOO_LONG", "category may have 128 characters at most, not 129"],
        ["3", "sku", "EMPTY", "sku must not be empty"],
        ["4", "title", "TOO_LONG", "title may have 256 characters at most, not 257"],
        ["5", "price", "BAD_FIELD", "price must be a decimal number"],
        ["6", "stock", "BAD_FIELD", "stock must be a whole number, or empty: not counted"],
        ["7", "visible", "BAD_FIELD", "visible must be true or false"],
        ["8", "currency", "TOO_LONG", "currency may have 3 characters at most, not 4"],
        ["9", "attributes", "BAD_FIELD", '"attributes must be a JSON object like {""colour"": ""red""}"'],
    ]
    assert Category.objects.get(path="Food > Cheese").name == "Cheese"
    errors.write_text(errors.read_text("utf-8-sig").replace("'=1+1", "3,00").replace("perhaps", "true"))
    assert "8 rows read: 2 taken, 0 older than what is known, 6 rejected" in command(errors, "--decimal-comma")
    assert Product.objects.get(sku="3").price == Decimal("3.00")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-0.01", "1e308", "10000000000"])
def test_a_price_that_is_none_is_refused(written, command, value):
    assert "0 taken, 0 older than what is known, 1 rejected (BAD_FIELD 1)" in command(
        written(f"sku,title,price\n1,T,{value}\n")
    )
    assert not Product.objects.exists()


def test_json_lines_carry_lists_and_objects(written, command):
    rows = [
        {"sku": 1, "title": "Tea", "category": ["Food", "Tea"], "attributes": {"bio": True}, "price": 2.5, "stock": 4},
        {"sku": "2", "title": "a\u0000b"},
        {"sku": "3", "title": "\ud800"},
    ]
    path = written("".join(f"{json.dumps(row)}\n" for row in rows), "products.jsonl")
    assert "1 taken, 0 older than what is known, 2 rejected (BAD_FIELD 2)" in command(path)
    tea = Product.objects.get()
    assert (tea.sku, tea.category.path, tea.attributes, tea.price) == ("1", "Food > Tea", {"bio": True}, Decimal("2.5"))


def test_what_the_file_no_longer_has_is_hidden_when_asked_twice(written, command, capsys):
    command(written("sku,title\n1,A\n2,B\n3,C\n4,D\n", "old.csv"))
    path = written("sku,title\n1,A\n2,\n")
    with pytest.raises(CommandError):
        command(path, "--delete-missing")
    assert (
        "2 products that are shown now are not in the file and would be hidden; give --yes" in capsys.readouterr().err
    )
    assert skus(visible=True) == ["1", "2", "3", "4"]
    assert not list(path.parent.glob("products.errors*"))
    told = command(path, "--delete-missing", "--yes")
    assert "1 taken, 0 older than what is known, 2 not in the file, 2 of them hidden, 1 rejected" in told
    assert (skus(visible=True), Product.objects.count()) == (["1", "2"], 4)


def test_nothing_is_hidden_when_rows_do_not_say_their_sku(written, command, capsys):
    command(written("sku,title\n1,A\n2,B\n", "old.csv"))
    with pytest.raises(CommandError):
        command(written("sku,title\n1,A\n,B\n"), "--delete-missing", "--yes")
    assert "1 rows do not even say their sku" in capsys.readouterr().err
    assert skus(visible=True) == ["1", "2"]


def test_a_file_that_breaks_off_hides_nothing(written, command, tmp_path):
    import gzip

    command(written("sku,title\n1,A\n2,B\n", "old.csv"))
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"sku,title\n1,A\n")[:-6])
    with pytest.raises(CommandError):
        command(path, "--delete-missing", "--yes")
    assert skus(visible=True) == ["1", "2"]


def test_what_the_file_has_no_column_for_stays_as_it_is(written, command):
    command(
        written(
            "sku,title,price,stock,visible,brand,available_from\n1,A,2.50,3,no,Leaf,2026-01-01T00:00:00Z\n", "all.csv"
        )
    )
    command(written("sku,title\n1,B\n"))
    product = Product.objects.get()
    assert (product.title, product.price, product.stock, product.visible) == ("B", Decimal("2.50"), 3, False)
    assert (product.brand, product.available_from) == (None, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    command(written("sku,title,price,available_until\n1,B,,\n"))
    product.refresh_from_db()
    assert (product.price, product.stock, product.available_from) == (None, 3, None)


def test_a_row_older_than_what_is_known_changes_nothing(written, command):
    path = written("sku,title,updated_at\n1,New,2026-02-02T00:00:00Z\n1,Old,2026-01-01T00:00:00Z\n")
    assert "1 taken, 1 older than what is known, 0 rejected" in command(path)
    assert Product.objects.get().title == "New"


def test_a_window_that_ends_before_it_begins_is_refused(written, command):
    path = written("sku,title,available_from,available_until\n1,A,2026-02-02T00:00:00Z,2026-01-01T00:00:00Z\n")
    assert "1 rejected (BAD_FIELD 1)" in command(path)
    assert "available_until must be after available_from" in path.with_name("products.errors.csv").read_text()


def test_skus_are_remembered_in_eight_bytes_each():
    seen = SkusSeen()
    for n in range(1000):
        seen.add(f"sku {n}")
    assert all(f"sku {n}" in seen for n in range(1000))
    assert not any(f"other {n}" in seen for n in range(1000))
    assert seen._hashes.itemsize == 8
