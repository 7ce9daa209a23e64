"""A shopper's way through the shop, from a stranger to one who leaves; each page is read by axe on the way."""

from __future__ import annotations

import json
import zipfile

import pytest
from axe_playwright_python.sync_playwright import Axe

from shop_reco.events.models import Event
from shop_reco.portraits.services import refresh_dirty
from shop_reco.recommendations.models import Feedback
from shop_reco.users.models import Consent, Shopper

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
READERS = [("en", 1280, "light"), ("zh-CN", 390, "dark")]


class Visit:
    """One browser of one person, who reads each page that they come to."""

    def __init__(self, browser, address, locale, width, scheme):
        viewport = {"width": width, "height": 844}
        self.context = browser.new_context(locale=locale, viewport=viewport, color_scheme=scheme)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(15_000)
        self.errors = []
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.address, self.width = address, width

    def open(self, path):
        self.tab.goto(self.address + path)
        self.read()

    def read(self):
        """Nothing on the page hinders anyone, and nothing lies beside it."""
        self.tab.wait_for_load_state()
        found = Axe().run(self.tab, options=ASKED).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]
        assert told == [], self.tab.url
        assert self.tab.evaluate("document.documentElement.scrollWidth") <= self.width, self.tab.url
        assert self.errors == []

    def products(self, placement):
        cards = self.tab.locator(f"[data-placement={placement}] .reco-card")
        return cards.evaluate_all("all => all.map((card) => card.dataset.product)")

    def card(self, placement):
        return self.tab.locator(f"[data-placement={placement}] .reco-card").first

    def told(self):
        self.tab.locator("#reco-news:not(:empty)").wait_for()


@pytest.fixture(params=READERS, ids=lambda reader: f"{reader[0]}, {reader[1]} px, {reader[2]}")
def visit(request, live_server, settings, trained, tab):
    settings.DEBUG = True  # the visitor cookie of http
    visit = Visit(tab.context.browser, live_server.url, *request.param)
    yield visit
    visit.context.close()


def test_from_a_stranger_to_one_who_leaves(visit, trained):
    tab = visit.tab

    # a stranger sees what is popular, and is asked
    visit.open("/")
    assert visit.products("home") == []
    assert len(visit.products("popular")) >= 10
    language = tab.locator("html").get_attribute("lang")
    assert language == {"en": "en", "zh-CN": "zh-hans"}[tab.evaluate("navigator.language")]
    tab.click('[data-consent="yes"]')
    tab.wait_for_selector(".withdraw")
    visit.read()
    me = Shopper.objects.get(external_id=None)

    # what they look at makes a list of their own
    for n in range(3):
        visit.open(f"/product/{trained.products[f'Soap-{n}'].public_id}/")
        tab.wait_for_selector("body[data-told]")
    visit.open("/")
    mine = visit.products("home")
    assert len(mine) >= 5

    # it says why, in reasons that add up
    card = visit.card("home")
    card.locator(".reco-why").click()
    panel = card.locator(".reco-panel")
    shares = [int(each.rstrip("%")) for each in panel.locator(".reco-share b").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=len(shares))
    visit.read()
    tab.keyboard.press("Escape")

    # a no is heard at once, and can be taken back
    card.locator("[data-say=NOT_INTERESTED]").first.click()
    card.locator("[data-undo]").wait_for()
    visit.read()
    card.locator("[data-undo]").click()
    visit.told()
    assert not Feedback.objects.filter(shopper=me).exists()
    card.locator("[data-say=NOT_INTERESTED]").first.click()
    card.locator("[data-undo]").wait_for()
    visit.open("/")
    assert mine[0] not in visit.products("home")

    # a search is in their order, a cart has what goes with it, an order counts
    visit.open("/search/?q=soap")
    assert tab.locator(".sorting [aria-current]").count() == 1
    visit.open("/search/?q=zzzz")
    visit.open(f"/category/{trained.products['Soap-1'].category.slug}/")
    for _ in range(2):
        visit.open(f"/product/{trained.products['Soap-1'].public_id}/")
        tab.locator(".stars input").nth(4).check()
        visit.told()
        tab.click("button[value=add]")
        tab.wait_for_url("**/cart/")
        visit.read()
        assert visit.products("together")
        tab.click("main a.main")
        tab.wait_for_url("**/checkout/")
        visit.read()
        tab.click("main button.main")
        tab.wait_for_url("**/thanks/")
        visit.read()
    assert Event.objects.filter(shopper=me, type="purchase").count() == 2
    visit.open("/")
    assert visit.products("again") == [
        bought := tab.locator("[data-placement=again] .reco-card").first.get_attribute("data-product")
    ]
    assert bought not in visit.products("home")

    # the portrait is theirs to correct, the history theirs to read
    refresh_dirty()
    visit.open("/portrait/")
    tab.locator("[data-edit=pin]").first.click()
    visit.told()
    tab.locator(".facts a").first.click()
    tab.wait_for_url("**/portrait/from/**")
    visit.read()
    visit.open("/history/")
    assert tab.locator("[data-kind=NOT_INTERESTED]").count() == 1
    tab.locator("[data-take-back]").click()
    visit.told()
    assert not Feedback.objects.filter(shopper=me).exists()

    # one click ends the remembering, and the lists
    tab.click('[data-consent="stop"]')
    tab.wait_for_selector(".withdraw", state="detached")
    assert not Consent.objects.filter(shopper=me, granted=True, superseded_at=None).exists()
    visit.open("/")
    assert visit.products("home") == []

    # they take everything along, and leave nothing
    visit.open("/portrait/")
    tab.on("dialog", lambda dialog: dialog.accept())
    with tab.expect_download() as download:
        tab.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        content = json.loads(archive.read("data.json"))
    assert len([each for each in content["event"] if each["type"] == "purchase"]) == 2
    tab.click("#erase")
    tab.wait_for_selector("#receipt")
    visit.read()
    assert not Shopper.objects.filter(pk=me.pk).exists()
    assert visit.errors == []


def test_a_page_that_is_not_there_hinders_nobody(visit):
    visit.tab.goto(visit.address + "/nowhere/")
    visit.tab.wait_for_load_state("networkidle")
    visit.errors.clear()  # the browser tells of the 404 itself
    visit.read()


def test_without_scripts_one_still_finds_reads_why_and_buys(tab, live_server, trained):
    context = tab.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(live_server.url)
    card = page.locator("[data-placement=popular] .reco-card").first
    assert not card.locator("[data-say]").count()
    card.locator(".reco-why").click()
    assert card.locator(".reco-panel").is_visible()
    assert card.locator(".reco-reasons li").count() >= 1
    card.locator(".reco-close").click()
    page.fill("input[type=search]", "soap")
    page.click(".search button")
    page.locator(".reco-link").first.click()
    page.click("button[value=add]")
    page.click("main a.main")
    page.click("main button.main")
    page.wait_for_url("**/thanks/")
    context.close()


def test_what_a_catalogue_wrote_is_text_in_a_list_that_a_script_made(visit, trained):
    for product in trained.products.values():
        product.title = f"<img src=x onerror=window.__fired=1>{product.sku}"
        product.save()
    visit.tab.goto(visit.address)
    visit.tab.locator("[data-placement=popular] [data-renew]").evaluate("button => button.click()")
    visit.told()
    name = visit.card("popular").locator(".reco-name").first.inner_text()
    assert name.startswith("<img src=x onerror")
    assert visit.tab.evaluate("window.__fired") is None
