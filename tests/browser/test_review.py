"""Staff go through what shoppers said by keyboard alone, in two languages, and every page they see is read by axe."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import expect

from shop_reco.recommendations.models import Feedback, Verdict
from shop_reco.recommendations.services import decide, give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ASKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
READERS = [("en", 1280, "light"), ("zh-CN", 390, "dark")]
BASE = "/admin/reco_recommendations/feedback"


class Desk:
    """The queue on the screen of one of the staff."""

    def __init__(self, tab, address):
        self.tab, self.address, self.errors = tab, address, []
        tab.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, page="queue/"):
        self.tab.goto(f"{self.address}{BASE}/{page}", wait_until="networkidle")

    def press(self, *keys):
        for key in keys:
            self.tab.keyboard.press(key)

    def row(self, feedback):
        return self.tab.locator(f"[data-row='{feedback.pk}']")

    def at(self, feedback):
        """The line has the focus, and the detail is of it."""
        expect(self.row(feedback).locator("a")).to_be_focused()
        expect(self.tab.locator("[data-piece]")).to_have_attribute("data-piece", str(feedback.pk))

    def reads(self, feedback, review):
        expect(self.row(feedback)).to_have_attribute("data-review", review)

    def is_read_by_axe(self):
        found = Axe().run(self.tab, options=ASKED).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == []
        width = self.tab.viewport_size["width"]
        assert self.tab.evaluate("document.documentElement.scrollWidth") <= width
        assert self.errors == []


@pytest.fixture
def said(trained):
    """24 pieces of feedback on the shoppers' own lists, the last one first, as the queue has them."""
    for n, shopper in enumerate(Shopper.objects.order_by("pk")[:24]):
        served = recommend_for(shopper=shopper, first=5)
        kind = ("not_interested", "wrong_reason", "already_have")[n % 3]
        give_feedback(shopper=shopper, product=served.edges[n % 5].product, kind=kind, slate_id=served.slate_id)
    return list(Feedback.objects.order_by("-given_at", "-pk"))


@pytest.fixture(params=READERS, ids=lambda reader: "-".join(map(str, reader)))
def desk(request, said, browser_path, tab, live_server, client):
    language, width, scheme = request.param
    context = tab.context.browser.new_context(
        locale=language, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    client.force_login(User.objects.create_superuser("staff"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    desk = Desk(page, live_server.url)
    desk.open()
    return desk


def test_twenty_pieces_are_reviewed_by_keyboard_alone(said, desk):
    acts = {"a": "accepted", "d": "dismissed", "x": "accepted"}
    keys = list("adx" * 7)[:20]
    for key, feedback in zip(keys, said, strict=False):
        expect(desk.tab.locator("[data-piece]")).to_have_attribute("data-piece", str(feedback.pk))
        desk.press(key)
        desk.reads(feedback, acts[key])
    desk.at(said[20])
    desk.is_read_by_axe()
    stored = list(Feedback.objects.order_by("-given_at", "-pk"))
    assert [each.review for each in stored[:20]] == [acts[key] for key in keys]
    assert [each.excluded for each in stored[:20]] == [key == "x" for key in keys]
    assert {each.review for each in stored[20:]} == {"open"}
    assert Verdict.objects.count() == 20
    desk.press("u", "u", "u")
    for feedback in said[17:20]:
        desk.reads(feedback, "open")
    desk.at(said[17])
    assert Feedback.objects.filter(review="open").count() == 7
    assert Verdict.objects.filter(undone_at=None).count() == 17


def test_j_and_k_go_through_the_list_and_stop_at_its_ends(said, desk):
    desk.press("j", "j")
    desk.at(said[2])
    desk.press("k")
    desk.at(said[1])
    desk.press("k", "k")
    desk.at(said[0])
    assert not Verdict.objects.exists()


def test_a_handful_is_decided_on_at_once_and_undone_at_once(said, desk):
    desk.press("s", "j", "s", "j", "s")
    expect(desk.tab.locator("[data-count]")).to_contain_text("3")
    desk.is_read_by_axe()
    desk.press("d")
    for feedback in said[:3]:
        desk.reads(feedback, "dismissed")
    assert Verdict.objects.values("ticket").distinct().count() == 1
    desk.is_read_by_axe()
    desk.tab.get_by_role("button", name=re.compile("Undo|撤销")).first.click()
    for feedback in said[:3]:
        desk.reads(feedback, "open")


def test_the_keys_are_told_and_can_be_switched_off(said, desk):
    desk.press("?")
    keys = desk.tab.locator("dialog")
    expect(keys).to_be_visible()
    desk.is_read_by_axe()
    desk.press("a")
    keys.locator("[data-switch]").uncheck()
    desk.press("Escape")
    expect(keys).not_to_be_visible()
    desk.press("a", "d", "x")
    desk.press("?")
    keys.locator("[data-switch]").check()
    desk.press("Escape", "a")
    desk.reads(said[0], "accepted")
    assert Verdict.objects.count() == 1


def test_keys_typed_into_a_field_decide_nothing(said, desk):
    desk.tab.locator("summary").first.click()
    desk.tab.locator("select[name=kind]").focus()
    desk.press("a", "d", "x")
    desk.tab.wait_for_timeout(200)
    assert not Verdict.objects.exists()


def test_who_comes_second_is_told_and_sees_what_was_decided(said, desk):
    other = User.objects.create_user("mei", is_staff=True)
    decide(seen={said[0].pk: said[0].mark}, act="accept", by=other)
    desk.press("d")
    desk.reads(said[0], "accepted")
    expect(desk.tab.locator("[data-news]")).to_contain_text("mei")
    assert Verdict.objects.count() == 1


def test_by_mouse_a_piece_is_looked_at_decided_on_and_undone_from_its_history(said, desk):
    desk.row(said[1]).locator("a").click()
    expect(desk.tab.locator("[data-piece]")).to_have_attribute("data-piece", str(said[1].pk))
    desk.tab.locator("[data-piece] button[value=hide]").click()
    desk.reads(said[1], "accepted")
    desk.row(said[1]).locator("a").click()
    desk.tab.locator("[data-piece] .reco-history button").click()
    desk.reads(said[1], "open")
    assert Verdict.objects.get().undone_at is not None


def test_themes_and_the_empty_queue_are_read_by_axe_too(said, desk):
    desk.open("themes/")
    assert desk.tab.locator(".reco-theme").count() > 0
    desk.is_read_by_axe()
    desk.tab.locator(".reco-theme").first.click()
    assert desk.tab.locator("[data-row]").count() >= 5
    desk.is_read_by_axe()
    desk.open("queue/?kind=like")
    desk.is_read_by_axe()
