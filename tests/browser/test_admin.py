"""The admin on a phone: nothing is wider than the screen."""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User

from shop_reco.portraits.models import Segmentation
from shop_reco.portraits.services import refresh_dirty
from shop_reco.products.services import ensure_category, save_product
from shop_reco.recommendations.models import ModelVersion, Rule
from shop_reco.staff.audit import note
from shop_reco.users.models import Shopper
from shop_reco.users.services import issue_key

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}
TWO_GROUPS = {
    "middle": [1.0] * 4, "spread": [1.0] * 4, "centres": [[0.0] * 4] * 2, "names": [["often"], ["seldom"]],
    "sizes": [18, 12], "silhouette": 0.5, "tastes": [[["Shop > Tea", 9]]] * 2, "shoppers": 40, "days": 90,
}  # fmt: skip


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
    phone.wait_for_selector("figure.chart svg")
    assert phone.locator("figure.chart svg").count() == 3
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.locator("a[href*='kind=category']").first.click()
    phone.wait_for_selector("text=Where this comes from")
    assert phone.locator(".evidence tbody tr").count() > 0
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_segments_fit_a_phone_and_lead_to_products_by_keyboard(trained, phone, live_server, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SEGMENT_SHOPPERS": 10, "MIN_SUPPORT": 5}
    refresh_dirty()
    category = {"categories": [["A department with quite some name > " + "x" * 60, 12, 2.0]]}
    typical = [{"products": [[trained.products["Tea-1"].pk, 12, 3.0]], **category}] * 2
    for days in (1, 0):
        Segmentation.objects.filter(live=True).update(live=False)
        made = Segmentation.objects.create(n_shoppers=30, content=TWO_GROUPS | {"typical": typical})
        Segmentation.objects.filter(pk=made.pk).update(fitted_at=made.fitted_at - dt.timedelta(days=days))
    phone.goto(f"{live_server.url}/admin/reco_portraits/segmentation/now/", wait_until="networkidle")
    assert phone.locator(".reco-group").count() == 3  # two, and who is in none
    assert phone.locator(".reco-trend").count() == 2
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    axe = Axe().run(phone, context="#content-main", options={"rules": {"color-contrast": {"enabled": False}}})
    assert [each["id"] for each in axe.response["violations"]] == []
    phone.get_by_role("link", name="Tea 1").first.focus()
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/reco_products/product/*/change/")


def test_erasing_a_shopper_works_by_keyboard_and_fits_a_phone(trained, person, phone, live_server):
    phone.goto(f"{live_server.url}/admin/reco_users/shopper/{person.pk}/change/", wait_until="networkidle")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_role("link", name="Erase for good").focus()
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=cannot be undone")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_label("Why do you do this?").focus()
    phone.keyboard.type("asked by letter")
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.textContent.trim()") == "Erase for good"
    phone.keyboard.press("Enter")
    phone.wait_for_selector("text=All that was known is erased")
    assert not Shopper.objects.filter(pk=person.pk).exists()


def test_a_final_action_is_asked_about_in_a_page_that_fits_a_phone_and_its_record_does_too(phone, live_server):
    key = issue_key(name="a till with quite some name " * 2, scopes=["lists:read"])[0]
    phone.goto(f"{live_server.url}/admin/reco_users/apikey/", wait_until="networkidle")
    phone.locator("input.action-select").first.check()
    phone.locator("select[name=action]").first.select_option("revoke")
    phone.locator("button[name=index]").first.click()
    phone.wait_for_selector("text=This touches 1 row and cannot be undone")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_role("button", name="Yes, go on").focus()
    phone.keyboard.press("Enter")
    phone.wait_for_selector("input.action-select")
    key.refresh_from_db()
    assert key.revoked_at is not None
    phone.goto(f"{live_server.url}/admin/reco_staff/staffaction/", wait_until="networkidle")
    assert phone.get_by_text("Revoked").count()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_long_text_in_a_table_is_not_cut_off_on_a_phone(trained, phone, live_server):
    note(by=User.objects.get(), what="go_back", row=ModelVersion.objects.first(), why="worse lists than before, " * 8)
    phone.goto(f"{live_server.url}/admin/reco_staff/staffaction/", wait_until="networkidle")
    cell = phone.locator("#result_list td", has_text="worse lists")
    assert cell.evaluate("cell => cell.clientHeight >= 60 && cell.scrollHeight <= cell.clientHeight")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
