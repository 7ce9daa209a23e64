"""Staff take the catalogue to a spreadsheet and bring it back."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from shop_reco.products.models import Product
from shop_reco.products.resources import COLUMNS, ProductResource

LIST = "/admin/reco_products/product/"
CSV, XLSX = "0", "1"
HIDDEN = r'name="(import_file_name|original_file_name|format|resource)" value="([^"]*)"'


def exported(staff, form=CSV):
    chosen = {f"productresource_{name}": "on" for name in COLUMNS}
    reply = staff.post(f"{LIST}export/", {"format": form, "resource": "", **chosen})
    assert reply.status_code == 200, reply.content[:500]
    return reply.content


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def brought_back(staff, rows, *, confirm=True):
    """The page that shows what would become of the rows, and after it the list, if it is confirmed."""
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    file = SimpleUploadedFile("products.csv", out.getvalue().encode(), content_type="text/csv")
    page = staff.post(f"{LIST}import/", {"import_file": file, "format": CSV, "resource": ""})
    hidden = dict(
        re.findall(
            r'name="(import_file_name|original_file_name|format|resource)" value="([^"]*)"', page.content.decode()
        )
    )
    return staff.post(f"{LIST}process_import/", hidden) if confirm and hidden else page


def test_the_catalogue_goes_out_in_the_columns_that_a_file_has(shop, staff):
    rows = rows_of(exported(staff))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 36
    tea = next(row for row in rows if row["sku"] == "Tea-1")
    assert (tea["title"], tea["category"], tea["brand"], tea["price"]) == ("Tea 1", "Shop > Tea", "B1", "2.00")


def test_what_comes_back_is_stored_by_the_service_that_stores_all_products(shop, staff):
    rows = rows_of(exported(staff))[:3]
    rows[0] |= {"title": "Another name", "price": "9.99", "category": "Shop > New shelf"}
    before = shop.products[rows[0]["sku"]].revision
    reply = brought_back(staff, [*rows, {**rows[0], "sku": "fresh-1", "title": "Fresh"}])
    assert reply.status_code == 302
    changed = Product.objects.get(sku=rows[0]["sku"])
    assert (changed.title, str(changed.price), changed.category.path) == ("Another name", "9.99", "Shop > New shelf")
    assert changed.revision > before
    assert Product.objects.get(sku="fresh-1").title == "Fresh"


def test_nothing_is_stored_before_it_is_confirmed(shop, staff):
    rows = rows_of(exported(staff))[:1]
    rows[0]["title"] = "Another name"
    page = brought_back(staff, rows, confirm=False)
    assert "Another name" in page.content.decode()
    assert not Product.objects.filter(title="Another name").exists()


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [("price", "cheap", "price"), ("stock", "1.5", "must be a whole number"), ("attributes", "[1]", "JSON object")],
)
def test_a_bad_cell_is_told_with_its_column_and_nothing_is_stored(shop, staff, column, value, complaint):
    rows = rows_of(exported(staff))[:2]
    rows[0][column], rows[1]["title"] = value, "Another name"
    page = brought_back(staff, rows)
    assert complaint in page.content.decode()
    assert not Product.objects.filter(title="Another name").exists()


def test_an_unknown_column_is_refused_and_named(shop, staff):
    page = brought_back(staff, [{"sku": "Tea-1", "title": "Tea", "colour": "red"}])
    assert "unknown columns: colour" in page.content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+49 Tea", "-5 Tea", "@tea", "'=quoted", "＝wide", "'plain"])
def test_no_cell_runs_in_a_spreadsheet_and_what_was_written_comes_back(shop, staff, text):
    Product.objects.filter(sku="Tea-1").update(title=text, brand=None)
    for row in (
        next(row for row in rows_of(exported(staff)) if row["sku"] == "Tea-1"),
        dict(zip(COLUMNS, next(each for each in sheet(exported(staff, XLSX)) if each[0] == "Tea-1"), strict=True)),
    ):
        assert row["title"][0] not in "=+-@＝"
        Product.objects.filter(sku="Tea-1").update(title="changed")
        assert brought_back(staff, [{name: value or "" for name, value in row.items()}]).status_code == 302
        assert Product.objects.get(sku="Tea-1").title == text


def sheet(content):
    return list(load_workbook(io.BytesIO(content)).active.values)[1:]


def test_who_may_only_look_takes_out_and_brings_nothing_in(shop, client):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(viewer)
    assert len(rows_of(exported(client))) == 36
    assert client.get(f"{LIST}import/").status_code == 403


def test_the_columns_are_those_of_a_file(shop):
    from shop_reco.products.rows import FIELDS

    assert set(COLUMNS) <= set(FIELDS)
    assert ProductResource().get_queryset().count() == 36
