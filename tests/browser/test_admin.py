"""The admin on a phone: nothing is wider than the screen."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from shop_reco.portraits.services import refresh_dirty
from shop_reco.products.services import ensure_category, save_product
from shop_reco.recommendations.models import ModelVersion, Rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phone(trained, tab, live_server, client):
    client.force_login(User.objects.create_superuser("staff"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    tab.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    tab.set_viewport_size(PHONE)
    return tab


def test_no_page_is_wider_than_a_phone(trained, phone, live_server):
    product = trained.products["Tea-1"]
    product.category = ensure_category(path=("A department with quite some name", "A long category " * 6, "x" * 60))
    save_product(product=product)
    rule = Rule.objects.create(action="boost", product=product, points=1.0)
    version = ModelVersion.objects.first()
    wide = {}
    for page in (
        "",
        f"reco_products/product/{product.pk}/change/",
        f"reco_products/category/{product.category_id}/change/",
        f"reco_recommendations/modelversion/{version.pk}/change/",
        f"reco_recommendations/rule/{rule.pk}/change/",
    ):
        phone.goto(f"{live_server.url}/admin/{page}", wait_until="networkidle")
        assert phone.locator("h1, h2, fieldset").count()
        wide[page] = phone.evaluate("document.documentElement.scrollWidth")
    assert {page: width for page, width in wide.items() if width > PHONE["width"]} == {}


def test_a_portrait_and_what_is_behind_its_numbers_fit_a_phone(trained, person, phone, live_server):
    refresh_dirty()
    phone.goto(f"{live_server.url}/admin/reco_portraits/portrait/{person.pk}/change/", wait_until="networkidle")
    phone.get_by_label("Why do you look at this?").focus()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.keyboard.type("a question of theirs")
    phone.keyboard.press("Enter")
    phone.wait_for_selector(".chart svg")
    assert phone.locator(".chart svg").count() == 3
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.locator("a[href*='kind=category']").first.click()
    phone.wait_for_selector("text=Where this comes from")
    assert phone.locator(".evidence tbody tr").count() > 0
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
