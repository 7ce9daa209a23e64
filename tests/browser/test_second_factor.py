"""Staff set up a second factor and show it: by keyboard, on a phone and on a desk, in both languages."""

from __future__ import annotations

import base64
import os

import pytest
from django.contrib.auth.models import User
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from tests.browser.test_landmarks import hindered

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "Analytical-Engine-1843"
SHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 390)])
def test_a_code_beside_the_password(db, chrome, live_server, settings, language, width):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_SECOND_FACTOR": "required"}
    user = User.objects.create_superuser("ada", password=PASSWORD)
    page = chrome.new_context(locale=language, viewport={"width": width, "height": 844}).new_page()
    page.set_default_timeout(15_000)

    def look(name):
        assert hindered(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{language}.png", full_page=True)

    def sign_in():
        page.goto(f"{live_server.url}/admin/reco_products/product/")
        page.locator("#id_username").fill("ada")
        page.locator("#id_password").fill(PASSWORD)
        page.keyboard.press("Enter")

    sign_in()
    page.locator("[role=img] svg").wait_for()
    look("set-up")
    secret = page.locator("code").inner_text().replace(" ", "")
    held = TOTP(base64.b32decode(secret))
    page.locator("#id_code").focus()
    page.keyboard.type(f"{held.token():06d}")
    page.keyboard.press("Enter")
    page.locator("ul[translate=no] li").first.wait_for()
    look("codes")
    codes = page.locator("ul[translate=no] li").all_inner_texts()
    assert len(codes) == 10
    page.locator("ul[translate=no] + a").press("Enter")
    page.wait_for_url("**/admin/reco_products/product/")

    page.context.clear_cookies()
    sign_in()
    expect(page.locator("#id_code")).to_be_focused()
    look("ask")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    page.locator(".errors").wait_for()
    look("refused")
    TOTPDevice.objects.filter(user=user).update(last_t=0)  # rather than wait half a minute for the next code
    page.locator("#id_code").fill(f"{held.token():06d}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/reco_products/product/")
    page.goto(f"{live_server.url}/admin/second-factor/")
    look("kept")
