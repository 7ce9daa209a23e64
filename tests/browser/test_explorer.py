"""Staff ask why, in a browser, by keyboard, in two languages and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User

from shop_reco.recommendations.models import Rule
from shop_reco.recommendations.serving import recommend_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WHY, RULE = "/admin/reco_recommendations/slate/why/", "/admin/reco_recommendations/rule/add/"
OURS = {"include": [["#content-main"]]}
"""What stands around it is the admin theme's."""


@pytest.fixture(params=[("en", 1280, "light"), ("zh-CN", 390, "dark")], ids=lambda each: f"{each[0]}, {each[1]} px")
def staff(request, trained, tab, live_server, client):
    locale, width, scheme = request.param
    context = tab.context.browser.new_context(
        locale=locale, viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    client.force_login(User.objects.create_superuser("staff"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def read(page):
    """Nothing of ours hinders anyone, and nothing lies beside the page."""
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, context=OURS).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_why_a_list_is_as_it_is_and_what_it_would_be(staff, live_server, person):
    staff.goto(live_server.url + WHY)
    read(staff)
    staff.locator("[name=shopper]").focus()
    staff.keyboard.type("h0")
    staff.keyboard.press("Enter")
    staff.locator("[name=why]").focus()
    staff.keyboard.type("a complaint")
    staff.keyboard.press("Enter")
    staff.wait_for_selector(".reco-bar")
    before = staff.locator(".reco-place").all_inner_texts()
    staff.locator(".reco-places summary").first.focus()
    staff.keyboard.press("Enter")
    assert staff.locator(".reco-places table").first.is_visible()
    read(staff)
    staff.locator("[name=off][value=user_cf]").focus()
    staff.keyboard.press("Space")
    staff.locator("[name=without]").first.focus()
    staff.keyboard.press("Space")
    staff.locator("#content-main [type=submit]").focus()
    staff.keyboard.press("Enter")
    staff.wait_for_selector(".reco-moved")
    assert staff.locator(".reco-place").all_inner_texts() != before
    read(staff)


def test_a_rule_shows_what_it_would_do_below_its_form(staff, live_server, person):
    recommend_for(shopper=person, first=8)
    staff.goto(live_server.url + RULE)
    staff.fill("[name=price_max]", "3")
    staff.fill("[name=points]", "2")
    staff.locator("[data-reco-preview]").click()
    staff.wait_for_selector("#reco-effects ol")
    assert staff.locator("#reco-effects .reco-moved", has_text="↑").count() > 0
    assert staff.url.endswith(RULE)
    assert not Rule.objects.exists()
    found = Axe().run(staff, context={"include": [["#reco-effects"]]}).response["violations"]
    assert [each["id"] for each in found] == []
    assert staff.evaluate("document.documentElement.scrollWidth") <= staff.viewport_size["width"]
