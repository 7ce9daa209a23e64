"""The whole of a page of the admin, the theme's part of it too: read by axe, and reached by keyboard."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User

from tests.browser.test_explorer import staff

__all__ = ["staff"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = (
    "",
    "reco_products/product/",
    "reco_recommendations/rule/add/",
    "reco_portraits/segmentation/now/",
    "auth/user/{user}/change/",
)


def hindered(page):
    page.wait_for_load_state("networkidle")
    page.locator("[role=main]").wait_for()
    found = Axe().run(page).response["violations"]
    return [(each["id"], node["html"][:120], node["failureSummary"][:300]) for each in found for node in each["nodes"]]


def test_nothing_around_the_content_hinders_anyone_either(staff, live_server):
    user = User.objects.get(username="staff").pk
    found = {}
    for page in PAGES:
        staff.goto(f"{live_server.url}/admin/{page.format(user=user)}")
        found[page] = hindered(staff)
    staff.context.clear_cookies()
    staff.goto(f"{live_server.url}/admin/login/")
    found["login"] = hindered(staff)
    assert {page: each for page, each in found.items() if each} == {}


def test_the_menu_of_whoever_is_signed_in_opens_by_keyboard(staff, live_server):
    staff.set_viewport_size({"width": 1280, "height": 844})
    staff.goto(f"{live_server.url}/admin/reco_products/product/")
    staff.locator("[role=main]").wait_for()
    menu = staff.locator("#nav-sidebar [role=button]").last
    leave = staff.locator("#nav-sidebar form[action$='/logout/'], #nav-sidebar a[href*='password_change']").first
    assert not leave.is_visible()
    menu.focus()
    staff.keyboard.press("Enter")
    leave.wait_for()
