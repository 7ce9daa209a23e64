"""A day of the shop's staff in a browser, in two languages and on a phone: each does what their role may, and sees why.

Mei sells and reviews. Ana trains. Ada decides what serves. Each step is what the person reads and presses.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from shop_reco.events.services import Sender, record_events
from shop_reco.recommendations.models import Feedback, ModelVersion, Rule, Slate, Verdict
from shop_reco.recommendations.services import give_feedback, roll_up_answers
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import work_off
from shop_reco.staff.models import Role
from shop_reco.users.models import Shopper

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
READERS = [("en", 1280), ("zh-CN", 390)]
PASSWORD = "a good day to you"
DAYS, PUSHED = 12, 4
"""How long lists were clicked, and how long a rule has put first what hardly anybody clicks."""
OURS = {"include": [["#content-main"]]}
"""What stands around it is the admin theme's."""


@pytest.fixture
def shoppers(trained, settings):
    """Always the same of them in the control share, which goes by their public ids."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CONTROL_SHARE": 0.35}
    for n, shopper in enumerate(Shopper.objects.order_by("pk")):
        Shopper.objects.filter(pk=shopper.pk).update(public_id=uuid.uuid5(uuid.NAMESPACE_OID, f"shopper {n}"))
    return list(Shopper.objects.order_by("pk"))


@pytest.fixture
def days_before(trained, shoppers):
    """Lists as the shop served them, each shopper's once a day, and the clicks on them; then what they said of them."""
    now = timezone.now()
    usual = {shopper: recommend_for(shopper=shopper, first=6).slate_id for shopper in shoppers}
    pushing = Rule.objects.create(
        action="boost", product=trained.products["Soap-11"], points=9.0, starts_at=now - dt.timedelta(days=PUSHED)
    )
    pushed = {shopper: recommend_for(shopper=shopper, first=6).slate_id for shopper in shoppers}
    served = Slate.objects.in_bulk()
    Slate.objects.all().delete()
    lists, clicks = [], []
    for ago in range(DAYS - 1, -1, -1):
        for n, shopper in enumerate(shoppers):
            slate = served[(pushed if ago < PUSHED else usual)[shopper]]
            columns = {field.attname: getattr(slate, field.attname) for field in Slate._meta.concrete_fields}
            at = now - dt.timedelta(days=ago, minutes=30)
            lists.append(Slate(**{**columns, "id": uuid.uuid4(), "served_at": at}))
            often = 2 if slate.control else 1 if ago < PUSHED else 5
            if (7 * n + 3 * ago + n * ago) % 10 < often:
                clicks.append((shopper, slate.items[1]["product"], lists[-1]))
    Slate.objects.bulk_create(lists)
    skus = {product.pk: product.sku for product in trained.products.values()}
    told = [
        {
            "id": str(uuid.uuid4()), "type": "select_item", "shopper": shopper.external_id, "sku": skus[product],
            "slate_id": str(slate.pk), "occurred_at": (slate.served_at + dt.timedelta(minutes=1)).isoformat(),
        }
        for shopper, product, slate in clicks
    ]  # fmt: skip
    for start in range(0, len(told), 100):
        outcome = record_events(events=told[start : start + 100], shopper=None, sender=Sender.SERVER)
        assert outcome.rejected == []
    roll_up_answers()
    for n, shopper in enumerate(shoppers[:22]):
        slate = recommend_for(shopper=shopper, first=5)
        kind = ("not_interested", "wrong_reason", "already_have")[n % 3]
        give_feedback(shopper=shopper, product=slate.edges[1 + n % 4].product, kind=kind, slate_id=slate.slate_id)
    return pushing


class Desk:
    """The screen of one of the staff."""

    def __init__(self, context, address):
        self.page, self.address, self.errors = context.new_page(), address, []
        self.page.set_default_timeout(15_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._answer)
        self.asked, self.yes = [], True

    def _answer(self, dialog):
        self.asked.append(dialog.message)
        (dialog.accept if self.yes else dialog.dismiss)()

    def sign_in(self, name):
        self.page.goto(f"{self.address}/admin/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.locator(".reco-board").wait_for()
        self.reads()

    def goes_to(self, path):
        """By the side bar, which a phone folds away."""
        link = self.page.locator(f'a[href="/admin/{path}"]').first
        if not link.is_visible():
            self.page.locator("[x-on\\:click*=sidebarMobile]").locator("visible=true").first.click()
        link.click()
        self.page.wait_for_url(f"**/admin/{path}")

    def reads(self):
        """Nothing of ours hinders anyone, nothing lies beside the page, and nothing broke."""
        self.page.wait_for_load_state("networkidle")
        width = self.page.viewport_size["width"]
        found = Axe().run(self.page, context=OURS).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert told == [], self.page.url
        assert wide <= width, self.page.url
        assert self.errors == []


@pytest.fixture(params=READERS, ids=lambda reader: f"{reader[0]}, {reader[1]} px")
def arrives(request, tab, live_server):
    """Has one of the staff, of some roles, sign in at a browser of their own."""
    language, width = request.param
    contexts = []

    def arrives(name, *roles):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.set(Role.objects.get(pk=role).group for role in roles)
        context = tab.context.browser.new_context(locale=language, viewport={"width": width, "height": 844})
        contexts.append(context)
        desk = Desk(context, live_server.url)
        desk.sign_in(name)
        return desk

    yield arrives
    for context in contexts:
        context.close()


@pytest.fixture
def worker(settings, monkeypatch):
    """Works off what waits, each run in a process of its own, while somebody looks on."""
    given = {"item_cf": {"n_targets": 2}}  # not the recipe that serves, so that staff have to choose
    monkeypatch.setenv("WORKER_DATABASE", str(connection.settings_dict["NAME"]))
    monkeypatch.setenv("WORKER_ARTIFACTS", str(settings.SHOP_RECO["ARTIFACTS_ROOT"]))
    monkeypatch.setenv("WORKER_RECOMMENDERS", json.dumps(given))
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TRAINING_PROCESS": True, "RECOMMENDERS": given}
    settings.SETTINGS_MODULE = "tests.browser.worker_settings"

    def work():
        try:
            work_off()
        finally:
            connection.close()

    return threading.Thread(target=work, daemon=True)


def test_a_day_of_the_staff(days_before, arrives, worker):
    mei = arrives("mei", "merchandiser", "reviewer")
    page = mei.page

    # a fall is told, and leads to the lists behind it
    fall = page.locator("[data-fall]")
    expect(fall).to_have_count(1)
    since = timezone.now().date() - dt.timedelta(days=PUSHED - 1)
    fall.locator("a").first.click()
    page.wait_for_url(f"**/reco_recommendations/slate/?served_at__gte={since}*")
    mei.reads()
    page.locator("#result_list tbody tr", has=page.locator(".bg-green-100")).first.locator("a").first.click()
    page.wait_for_url("**/change/**")
    mei.reads()

    # the explorer tells what is first and why, and what would be without it
    page.locator("#content-main a[href*='/why/']").click()
    place = page.locator(".reco-places > li")
    expect(place.first).to_contain_text("Soap 11")
    mei.reads()
    place.first.locator("summary").click()
    page.locator(f"[name=lifted][value='{days_before.pk}']").check()
    page.locator("#content-main [type=submit]").click()
    page.locator(".reco-moved").first.wait_for()
    expect(place.first).not_to_contain_text("Soap 11")
    mei.reads()
    assert Rule.objects.get() == days_before  # nothing has changed yet

    # a rule against it shows what it would do and what it meets, before it is saved
    mei.goes_to("reco_recommendations/rule/")
    mei.reads()
    page.locator("a[href$='/rule/add/']").first.click()
    page.select_option("[name=action]", "hide")
    page.locator(".field-product .select2-selection").click()
    page.locator(".select2-search__field").fill("Soap-11")
    page.locator(".select2-results__option", has_text="Soap 11").click()
    page.locator("[data-reco-preview]").click()
    conflict = page.locator("#reco-effects .reco-warning")
    expect(conflict).to_contain_text("Soap 11")
    expect(page.locator("#reco-effects s", has_text="Soap 11").first).to_be_visible()
    mei.reads()
    assert Rule.objects.count() == 1
    page.locator("[name=_save]").click()
    page.wait_for_url("**/reco_recommendations/rule/")
    assert Rule.objects.filter(action="hide", product=days_before.product).exists()
    mei.reads()

    # twenty pieces of feedback by the keyboard, and one of them back
    mei.goes_to("reco_recommendations/feedback/queue/")
    said = list(Feedback.objects.order_by("-given_at", "-pk"))
    for key, feedback in zip("adx" * 7, said[:20], strict=False):
        expect(page.locator("[data-piece]")).to_have_attribute("data-piece", str(feedback.pk))
        page.keyboard.press(key)
        expect(page.locator(f"[data-row='{feedback.pk}']")).not_to_have_attribute("data-review", "open")
    page.keyboard.press("u")
    expect(page.locator(f"[data-row='{said[19].pk}']")).to_have_attribute("data-review", "open")
    mei.reads()
    assert Feedback.objects.filter(reviewed_by__username="mei").exclude(review="open").count() == 19
    assert Verdict.objects.filter(undone_at=None).count() == 19

    # she reads how recommenders do, and has no button there
    mei.goes_to("reco_recommendations/recommender/")
    assert page.locator("#content-main .reco-cards button").count() == 0
    mei.reads()

    # a colleague trains one, and looks on
    ana = arrives("ana", "analyst")
    ana.goes_to("reco_recommendations/recommender/")
    ana.reads()
    ana.page.locator("form[action$='/item_cf/train/'] button").click()
    card = ana.page.locator("#reco-item_cf")
    expect(card.locator("progress")).to_be_in_viewport()
    ana.reads()
    worker.start()
    told, seen = card.locator("[data-reco-told]"), []
    done = card.locator("[data-reco-done] a")
    latest = time.monotonic() + 300
    while worker.is_alive() and time.monotonic() < latest:
        if (text := told.inner_text()) not in seen:
            seen.append(text)
        ana.page.wait_for_timeout(200)
    assert not worker.is_alive()
    done.wait_for()
    assert len(seen) >= 2  # how far it is changes under their eyes
    ana.reads()
    done.click()
    waiting = ModelVersion.objects.get(recommender="item_cf", state="candidate")
    card.locator("a[href*=compare]").click()
    ana.page.locator(".reco-legend").wait_for()
    assert ana.page.locator("form[action*=promote]").count() == 0
    ana.reads()

    # who may decides that it serves, and takes that back
    ada = arrives("ada", "administrator")
    page = ada.page
    ada.goes_to("reco_recommendations/recommender/")
    page.locator("#reco-item_cf a[href*=compare]").click()
    page.locator(".reco-side").first.wait_for()
    ada.reads()
    before = ModelVersion.objects.get(recommender="item_cf", state="live")
    page.fill("form[action*=promote] [name=why]", "fewer and better neighbours")
    ada.yes = False
    page.locator("form[action*=promote] button").click()
    assert len(ada.asked) == 1
    assert ModelVersion.objects.get(recommender="item_cf", state="live") == before
    ada.yes = True
    page.locator("form[action*=promote] button").click()
    page.wait_for_url("**/modelversion/**")
    assert ModelVersion.objects.get(recommender="item_cf", state="live") == waiting
    ada.reads()
    ada.goes_to("reco_recommendations/recommender/")
    page.fill("form[action$='/item_cf/go-back/'] [name=why]", "shoppers miss their old lists")
    page.locator("#reco-item_cf form[action$='/item_cf/go-back/'] button").click()
    page.locator("td", has_text="shoppers miss their old lists").wait_for()
    assert ModelVersion.objects.get(recommender="item_cf", state="live") == before
    ada.reads()

    # the record has it all
    ada.goes_to("reco_staff/staffaction/")
    record = page.locator("#result_list")
    for who, why in (
        ("ada", "shoppers miss their old lists"),
        ("ada", "fewer and better neighbours"),
        ("ana", ""),
        ("mei", ""),
    ):
        expect(record.locator("tr", has_text=who).filter(has_text=why).first).to_be_visible()
    ada.reads()
