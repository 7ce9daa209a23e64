"""What staff do to the catalogue is known to the next list."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from shop_reco.products.models import Category, Product
from shop_reco.products.selectors import catalogue_revision
from shop_reco.recommendations.serving import recommend_for

BASE = "/admin/reco_products/product"


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def form_of(**changes):
    return {
        "title": "Green tea", "sku": "new-1", "currency": "USD", "price": "3.20", "visible": "on", "attributes": "{}",
        "description": "", "stock": "", "available_from_0": "", "available_from_1": "", "available_until_0": "",
        "available_until_1": "", **changes,
    }  # fmt: skip


def test_a_product_hidden_in_the_list_is_gone_from_the_next_one(trained, person, staff):
    first = recommend_for(shopper=person, first=5).edges[0].product
    staff.post(f"{BASE}/", {"action": "hide", "_selected_action": [first.pk]})
    assert first not in [edge.product for edge in recommend_for(shopper=person, first=36).edges]
    staff.post(f"{BASE}/", {"action": "show", "_selected_action": [first.pk]})
    assert first in [edge.product for edge in recommend_for(shopper=person, first=36).edges]


def test_adding_and_editing_a_product_moves_the_catalogues_revision(shop, staff):
    before = catalogue_revision()
    assert staff.post(f"{BASE}/add/", form_of()).status_code == 302
    product = Product.objects.get(sku="new-1")
    assert product.revision == catalogue_revision() == before + 1
    assert staff.post(f"{BASE}/{product.pk}/change/", form_of(sku="new-1", stock="0")).status_code == 302
    product.refresh_from_db()
    assert (product.stock, product.revision) == (0, before + 2)


def test_a_price_below_zero_is_refused_with_a_message(shop, staff):
    reply = staff.post(f"{BASE}/add/", form_of(price="-1"))
    assert reply.status_code == 200
    assert not Product.objects.filter(sku="new-1").exists()


def test_a_product_with_a_past_is_hidden_never_deleted(shop, staff):
    product = shop.products["Tea-1"]
    assert staff.post(f"{BASE}/{product.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Product.objects.filter(pk=product.pk).exists()


def test_products_are_searched_and_filtered(shop, staff):
    found = staff.get(f"{BASE}/", {"q": "Tea 11"}).content.decode()
    assert "Tea-11" in found
    assert "Soap-1<" not in found
    category = shop.products["Soap-1"].category_id
    narrowed = staff.get(f"{BASE}/", {"category__id__exact": category}).content.decode()
    assert "Soap-1<" in narrowed
    assert "Tea-11" not in narrowed


def test_a_title_is_shown_as_text(shop, staff):
    Product.objects.filter(sku="Tea-1").update(title="<script>alert(1)</script>")
    assert b"<script>alert(1)" not in staff.get(f"{BASE}/").content


def test_staff_say_which_category_is_sensitive_and_change_nothing_else_of_it(shop, staff):
    tea, before = Category.objects.get(name="Tea"), catalogue_revision()
    page = f"/admin/reco_products/category/{tea.pk}/change/"
    assert staff.post(page, {"sensitive": "on", "name": "Coffee"}).status_code == 302
    tea.refresh_from_db()
    assert (tea.sensitive, tea.name, catalogue_revision()) == (True, "Tea", before + 1)
    staff.post("/admin/reco_products/category/", {"action": "mark_ordinary", "_selected_action": [tea.pk]})
    tea.refresh_from_db()
    assert not tea.sensitive
    assert staff.post(f"/admin/reco_products/category/{tea.pk}/delete/", {"post": "yes"}).status_code == 403
