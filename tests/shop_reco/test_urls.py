"""What the stand-alone project answers at its addresses: the shop, its health and its admin."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/", "/search/?q=Tea", "/cart/", "/portrait/", "/category/tea/", "/health/"])
def test_every_page_of_the_shop_opens(trained, client, path):
    assert client.get(path).status_code == 200


def test_every_admin_page_opens(trained, staff):
    from shop_reco.admin_site import admin_site

    for model in admin_site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert staff.get(path).status_code == 200, path


def test_the_admin_refuses_who_is_not_staff(db, client):
    assert client.get("/admin/reco_products/product/").status_code == 302
