"""What a shopper sees and does."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shop_reco.events.models import Event
from shop_reco.portraits.models import PortraitEdit
from shop_reco.portraits.services import refresh_dirty
from shop_reco.privacy.verify import problems_of
from shop_reco.recommendations.models import Feedback
from shop_reco.users.models import Consent, Shopper

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
    expect(tab.locator("#household")).to_have_value(name)


def picked(tab):
    return tab.locator("[data-placement=home] .reco-card").evaluate_all(
        "cards => cards.map(card => card.dataset.product)"
    )


def told(tab, sentence):
    """The sentence is on the screen, wherever the page was scrolled to."""
    news = tab.locator("#reco-news", has_text=sentence)
    news.wait_for()
    box = news.bounding_box()
    assert 0 <= box["y"] <= tab.viewport_size["height"] - box["height"]


def break_graphql(tab):
    tab.route("**/graphql/", lambda route: route.fulfill(status=503, body="no"))


def mend_graphql(tab):
    tab.unroute("**/graphql/")


def granted(shopper):
    consents = Consent.objects.filter(shopper=shopper, granted=True, superseded_at=None)
    return set(consents.values_list("purpose", flat=True))


@pytest.fixture
def portrait(home, live_server):
    shop_as(home, "h0")
    refresh_dirty()
    home.goto(f"{live_server.url}/portrait/")
    return home


FAILED = "That did not work. Please try again."


def test_a_household_sees_ten_products_or_more_each_with_reasons(home):
    shop_as(home, "h0")
    assert len(picked(home)) >= 10
    assert home.locator("[data-placement=home] .reco-card .reco-reasons").count() == len(picked(home))


def test_not_interested_puts_a_product_away_at_once_and_for_good(home, person):
    shop_as(home, "h0")
    product = picked(home)[0]
    card = home.locator(f'[data-placement=home] [data-product="{product}"]')
    card.locator("[data-say=NOT_INTERESTED]").first.click()
    card.get_by_text("We will not show it again.").wait_for()
    assert not card.locator(".reco-link").is_visible()
    expect(card.locator("[data-undo]")).to_be_focused()
    assert Feedback.objects.get(shopper=person).kind == "not_interested"
    home.reload()
    assert product not in picked(home)


def test_what_was_put_away_comes_back_by_undo(home, person):
    shop_as(home, "h0")
    product = picked(home)[0]
    card = home.locator(f'[data-placement=home] [data-product="{product}"]')
    card.locator("[data-say=NOT_INTERESTED]").first.click()
    card.locator("[data-undo]").click()
    told(home, "Taken back.")
    assert card.locator(".reco-link").is_visible()
    assert not Feedback.objects.filter(shopper=person).exists()
    home.reload()
    assert product in picked(home)


def test_a_like_is_kept_shown_on_the_next_page_and_taken_back(home, person):
    shop_as(home, "h0")
    product = picked(home)[0]
    like = home.locator(f'[data-placement=home] [data-product="{product}"] [data-say=LIKE]')
    like.click()
    told(home, "It counts in your next list.")
    home.reload()
    like = home.locator(f'[data-product="{product}"] [data-say=LIKE]').first
    assert like.get_attribute("aria-pressed") == "true"
    like.click()
    told(home, "Taken back.")
    assert like.get_attribute("aria-pressed") == "false"
    assert not Feedback.objects.filter(shopper=person).exists()


def test_a_wrong_reason_is_said_in_the_panel_that_gives_it(home, person):
    shop_as(home, "h0")
    card = home.locator("[data-placement=home] .reco-card").first
    card.locator(".reco-why").click()
    panel = card.locator(".reco-panel")
    panel.get_by_role("button", name="The reason is wrong").click()
    told(home, "We will not say so of it again.")
    assert Feedback.objects.get(shopper=person).kind == "wrong_reason"
    home.keyboard.press("Escape")
    assert not panel.is_visible()


def test_a_list_is_renewed_where_it_is(home, person):
    shop_as(home, "h0")
    before = picked(home)
    card = home.locator("[data-placement=home] .reco-card").first
    card.locator("[data-say=NOT_INTERESTED]").first.click()
    renew = home.locator("[data-placement=home] [data-renew]")
    slate = home.locator("[data-placement=home]").get_attribute("data-slate")
    renew.click()
    told(home, "Your list is up to date.")
    assert before[0] not in picked(home)
    assert set(before[1:4]) <= set(picked(home))
    assert home.locator("[data-placement=home]").get_attribute("data-slate") != slate
    again = home.locator("[data-placement=home] .reco-card").first
    again.locator(".reco-why").click()
    assert again.locator(".reco-reasons li").count() >= 1
    home.reload()
    rendered = home.locator("[data-placement=home] .reco-card").first
    assert rendered.locator(".reco-name").first.inner_text() == again.locator(".reco-name").first.inner_text()


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
    home.locator("[data-placement=popular] .reco-link").first.click()
    home.wait_for_selector("body[data-told]")
    assert Shopper.objects.count() == before
    assert not Event.objects.filter(type="view_item").exists()
    home.go_back()
    home.click('[data-consent="yes"]')
    home.wait_for_selector(".consent", state="detached")
    told(home, "From now on we remember")
    assert Shopper.objects.count() == before + 1
    assert granted(Shopper.objects.get(external_id=None)) == {"personalisation"}


def test_a_newcomer_who_said_no_is_not_asked_again(home, live_server):
    before = Shopper.objects.count()
    home.click('[data-consent="no"]')
    told(home, "Nothing is kept of you")
    home.reload()
    assert home.locator(".consent").count() == 0
    assert Shopper.objects.count() == before
    home.goto(f"{live_server.url}/portrait/")
    home.click('[data-consent="yes"]')
    told(home, "From now on we remember")
    assert Shopper.objects.count() == before + 1


def test_a_consent_that_failed_is_told_and_can_be_given_again(home):
    break_graphql(home)
    home.click('[data-consent="yes"]')
    told(home, FAILED)
    mend_graphql(home)
    home.click('[data-consent="yes"]')
    told(home, "From now on we remember")


def test_feedback_that_failed_is_told_where_the_shopper_is(home):
    shop_as(home, "h0")
    product = picked(home)[-1]
    break_graphql(home)
    home.locator(f'[data-placement=home] [data-product="{product}"] [data-say=NOT_INTERESTED]').first.click()
    told(home, FAILED)
    assert product in picked(home)


def test_a_box_that_could_not_be_saved_goes_back(portrait, person):
    box = portrait.locator('[data-purpose="training"]')
    break_graphql(portrait)
    box.click()
    told(portrait, FAILED)
    assert box.is_checked()
    mend_graphql(portrait)
    box.click()
    told(portrait, "Saved.")
    assert "training" not in granted(person)


def test_an_interest_is_pinned_blocked_and_let_go(portrait, person):
    row = portrait.locator(".bars li").first
    key = row.get_attribute("data-key")
    pin, block = (row.get_by_role("button", name=f"{name} {key}", exact=True) for name in ("Pin", "Block"))
    break_graphql(portrait)
    pin.click()
    told(portrait, FAILED)
    assert pin.get_attribute("aria-pressed") == "false"
    mend_graphql(portrait)
    for button, state in ((pin, ["pin"]), (block, ["block"]), (block, [])):
        before = button.get_attribute("aria-pressed")
        button.click()
        row.locator(f"[data-edit={button.get_attribute('data-edit')}]:not([aria-pressed={before}])").wait_for()
        told(portrait, "Saved.")
        assert list(PortraitEdit.objects.filter(shopper=person).values_list("action", flat=True)) == state
    assert pin.get_attribute("aria-pressed") == "false"


def test_a_hidden_interest_moves_to_those_that_are_hidden_and_comes_back(portrait, person):
    row = portrait.locator(".bars li").first
    key = row.get_attribute("data-key")
    row.get_by_role("button", name=f"Hide {key}", exact=True).click()
    told(portrait, "Saved.")
    portrait.reload()
    hidden = portrait.locator("h3", has_text="Hidden by you").locator("+ ul li")
    assert hidden.evaluate_all("rows => rows.map(row => row.dataset.key)") == [key]
    hidden.get_by_role("button").click()
    told(portrait, "Saved.")
    assert not PortraitEdit.objects.filter(shopper=person).exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_portrait_fits_a_phone_and_its_charts_can_be_read_by_keyboard(portrait, scheme):
    portrait.emulate_media(color_scheme=scheme)
    portrait.set_viewport_size({"width": 360, "height": 740})
    portrait.reload()
    assert portrait.evaluate("document.documentElement.scrollWidth") <= 360
    assert portrait.locator(".chart svg").count() == 3
    portrait.locator(".chart summary").first.focus()
    portrait.keyboard.press("Enter")
    assert portrait.locator(".chart table").first.is_visible()
    paper, leaf = (
        portrait.locator(".chart").first.evaluate("chart => getComputedStyle(chart).backgroundColor"),
        portrait.locator(".chart .bar").first.evaluate("bar => getComputedStyle(bar).fill"),
    )
    assert paper != leaf
    portrait.get_by_role("link", name="Why?").first.click()
    portrait.wait_for_selector("h1:has-text('Where this comes from')")
    assert portrait.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("button", ["#export", "#erase"])
def test_what_could_not_be_exported_or_erased_is_told(portrait, person, button):
    portrait.on("dialog", lambda dialog: dialog.accept())
    break_graphql(portrait)
    portrait.click(button)
    told(portrait, FAILED)


def test_the_data_comes_as_a_file_and_goes_for_good(portrait, person):
    portrait.on("dialog", lambda dialog: dialog.accept())
    with portrait.expect_download() as download:
        portrait.click("#export")
    assert download.value.suggested_filename == "my-data.zip"
    told(portrait, "my-data.zip")
    with zipfile.ZipFile(download.value.path()) as archive:
        content = json.loads(archive.read("data.json"))
        page = archive.read("index.html").decode()
    assert len([each for each in content["event"] if each["type"] == "purchase"]) == 8
    assert "<h2>Profile</h2>" in page
    portrait.click("#erase")
    told(portrait, "Everything that was known of you is deleted.")
    assert not Shopper.objects.filter(pk=person.pk).exists()
    with portrait.expect_download() as download:
        portrait.click("#receipt")
    assert problems_of(Path(download.value.path()).read_bytes()) == []


def test_why_tells_each_reason_with_its_share_and_what_it_rests_on(home):
    shop_as(home, "h0")
    card = home.locator("[data-placement=home] .reco-card").first
    card.locator(".reco-why").click()
    panel = card.locator(".reco-panel")
    shares = [int(each.rstrip("%")) for each in panel.locator(".reco-share b").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=len(shares))
    assert panel.locator(".reco-said").first.inner_text() == card.locator(".reco-headline").inner_text()
    assert all(
        "/product/" in link for link in panel.locator(".reco-said a").evaluate_all("all => all.map(a => a.href)")
    )


def test_a_phone_shows_the_page_without_scrolling_sideways(home):
    home.set_viewport_size({"width": 360, "height": 740})
    home.reload()
    assert home.evaluate("document.documentElement.scrollWidth") <= 360
    first, second = (home.locator(".reco-card").nth(n).bounding_box() for n in range(2))
    assert first["y"] == second["y"]
    assert second["x"] > first["x"]


def test_the_keyboard_reaches_the_first_card(home):
    for _ in range(30):
        home.keyboard.press("Tab")
        if home.evaluate("document.activeElement.closest('.reco-card') !== null"):
            return
    pytest.fail("no card was reached within thirty tabs")
