"""What a shopper sees and does."""

from __future__ import annotations

import pytest

from shop_reco.events.models import Event
from shop_reco.users.models import Shopper

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def home(live_server, settings, trained, tab):
    settings.DEBUG = True  # the visitor cookie of http
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    tab.goto(live_server.url)
    return tab


def shop_as(tab, name):
    tab.select_option("#household", name)
    tab.click(".switcher button")
    tab.wait_for_function("name => document.querySelector('#household').value === name", arg=name)


def picked(tab):
    return tab.locator("[data-list=picked] .card").evaluate_all("cards => cards.map(card => card.dataset.product)")


def test_a_household_sees_ten_products_or_more_each_with_reasons(home):
    shop_as(home, "h0")
    assert len(picked(home)) >= 10
    assert home.locator("[data-list=picked] .card .reasons").count() == len(picked(home))


def test_not_interested_removes_a_product_for_good(home):
    shop_as(home, "h0")
    product = picked(home)[0]
    home.locator(f'[data-list=picked] [data-product="{product}"] .no').click()
    home.wait_for_selector("#news:not([hidden])")
    assert product not in picked(home)
    home.reload()
    assert product not in picked(home)


def test_viewing_three_products_of_one_category_changes_the_next_list(home, live_server, trained):
    shop_as(home, "h0")
    before = picked(home)
    for n in range(3):
        home.goto(f"{live_server.url}/product/{trained.products[f'Soap-{n}'].public_id}/")
        home.wait_for_selector("body[data-told]")
    home.goto(live_server.url)
    assert picked(home) != before


def test_a_newcomer_is_asked_first_and_nothing_is_kept_before(home):
    before = Shopper.objects.count()
    assert home.locator(".consent").count() == 1
    home.locator("[data-list=picked] .card a").first.click()
    home.wait_for_selector("body[data-told]")
    assert Shopper.objects.count() == before
    assert not Event.objects.filter(type="view_item").exists()
    home.go_back()
    home.click('[data-consent="true"]')
    home.wait_for_selector(".consent", state="detached")
    assert Shopper.objects.count() == before + 1


def test_a_phone_shows_the_page_without_scrolling_sideways(home):
    home.set_viewport_size({"width": 360, "height": 740})
    home.reload()
    assert home.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_keyboard_reaches_the_first_card(home):
    for _ in range(30):
        home.keyboard.press("Tab")
        if home.evaluate("document.activeElement.closest('.card') !== null"):
            return
    pytest.fail("no card was reached within thirty tabs")
