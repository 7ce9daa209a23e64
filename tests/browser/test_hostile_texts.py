"""In a real browser no text that a shop or a shopper wrote runs, asks another host, or turns its neighbours round."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.template import Context, Template
from django.urls import reverse
from playwright.sync_api import Error

from shop_reco.admin_site import admin_site
from shop_reco.events.services import track
from shop_reco.portraits.services import edit_interests
from shop_reco.products.services import save_product
from tests import hostile
from tests.shop_reco.conftest import unpacked  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SETTLED = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(
    () => done(window.__fired !== undefined), 5)))"""
"""Whether anything fired, once the page was drawn."""


class Watch:
    """Opens pages and notes which of them ran something or asked another host."""

    def __init__(self, tab, own):
        self.tab, self.own = tab, own
        self.fired, self.asked, self.failed, self._now = [], [], [], ""
        tab.on("request", self._note)
        tab.on("dialog", lambda dialog: (self.fired.append(self._now), dialog.dismiss()))

    def _note(self, request):
        there = urlsplit(request.url)
        if there.scheme in ("http", "https") and there.netloc != urlsplit(self.own).netloc:
            self.asked.append((self._now, request.url))

    def open(self, path):
        self._now = path
        reply = self.tab.goto(self.own + path, wait_until="load")
        if reply.status != 200:
            self.failed.append((path, reply.status))
        self.look()

    def show(self, name, html):
        """A page of our own making, under the address of the shop."""
        self._now = name
        self.tab.route("**/shown/", lambda route: route.fulfill(body=html, content_type="text/html"))
        self.tab.goto(f"{self.own}/shown/", wait_until="load")
        self.look()
        self.tab.unroute("**/shown/")

    def look(self):
        try:
            fired = self.tab.evaluate(SETTLED)
        except Error:  # the page went elsewhere
            self.asked.append((self._now, self.tab.url))
        else:
            if fired:
                self.fired.append(self._now)


@pytest.fixture
def watch(tab, live_server):
    return Watch(tab, live_server.url)


@pytest.fixture
def everywhere(shop, client, live_server, settings, tab):
    cache.clear()
    user = User.objects.create_superuser(hostile.FIRING[7], first_name=hostile.FIRING[0], last_name=hostile.FIRING[10])
    client.force_login(user)
    cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    tab.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    return hostile.fill(shop, client, user)


def test_the_probe_notices_each_payload_that_is_not_escaped(watch):
    template = Template(hostile.UNESCAPED)
    for text in hostile.FIRING:
        watch.show(text, template.render(Context({"text": text})))
    assert [text for text in hostile.FIRING if text not in watch.fired] == []
    watch.tab.route(f"http://{hostile.ELSEWHERE}/**", lambda route: route.abort())
    for text in hostile.LOADING:
        watch.show(text, template.render(Context({"text": text})))
    assert {text for text, _url in watch.asked} == set(hostile.LOADING)


def shop_pages(filled):
    products = filled.products
    yield from ("/", "/cart/", "/portrait/", "/history/")
    for text in hostile.FIRING[7::4]:
        yield reverse("shop_reco_storefront:search") + "?" + query(q=text)
    for product in products[::40]:
        yield f"/product/{product.public_id}/"
        yield reverse("shop_reco_storefront:category", args=[product.category.slug])
    for text in (hostile.FIRING[0], hostile.FIRING[20]):
        yield "/portrait/from/?" + query(kind="category", key=f"Shop > {text}")
        yield f"/admin/reco_portraits/portrait/{filled.me.pk}/from/?" + query(kind="category", key=text)


def query(**parts):
    return urlencode(parts)


def admin_pages(filled):
    yield "/admin/"
    yield "/admin/search/?" + query(s=hostile.FIRING[20])
    yield "/admin/reco_products/product/?" + query(q=hostile.FIRING[20])
    yield f"/admin/reco_portraits/portrait/{filled.me.pk}/change/"
    yield "/admin/reco_recommendations/feedback/queue/"
    yield "/admin/reco_recommendations/feedback/themes/"
    yield "/admin/reco_events/rejectedevent/health/"
    yield "/admin/reco_recommendations/slate/why/?" + query(placement="home", first=10, skus=filled.products[3].sku)
    for model in admin_site._registry:
        if model._meta.app_label == "django_celery_beat":  # which nobody outside writes to
            continue
        name = f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        row = model._default_manager.order_by("pk").first()
        yield reverse(f"{name}_change", args=[row.pk])


def test_no_page_runs_what_somebody_wrote(everywhere, watch, unpacked):  # noqa: F811
    files = unpacked(everywhere.me)
    for page in [*shop_pages(everywhere), *admin_pages(everywhere)]:
        watch.open(page)
    page = files["index.html"].decode()
    watch.show("index.html", page[: page.index("<meta http-equiv")] + page[page.index('<meta name="viewport"') :])
    assert "__fired" in watch.tab.content()
    assert (watch.fired, watch.asked, watch.failed) == ([], [], [])


ORDER = """() => [...document.querySelectorAll("[data-kind] > span, .evidence td:nth-child(3)")].filter((line) => {
    const range = document.createRange(), places = [];
    for (const word of ["\\u202etea 5 €", "Why?", "× 2"]) {
        const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        for (let text; (text = texts.nextNode());) {
            const start = text.data.indexOf(word);
            if (start < 0) continue;
            range.setStart(text, start);
            range.setEnd(text, start + word.length);
            places.push(range.getBoundingClientRect());
            break;
        }
    }
    return places.length > 1 && places[0].right > places[1].left + 1 && places[0].top < places[1].bottom;
}).length"""
"""How many lines show what follows a right-to-left text before it."""
TURNING = "\u202etea 5 €"


def test_a_right_to_left_text_turns_nothing_but_itself(everywhere, watch):
    product = everywhere.products[3]
    product.title = TURNING
    save_product(product=product)
    edit_interests(shopper=everywhere.me, pin=[("brand", TURNING)], block=[("keyword", TURNING)])
    track(shopper=everywhere.me, type="purchase", product=product, quantity=2, price="2.50")
    unwrap = "document.querySelectorAll('bdi').forEach((each) => each.replaceWith(...each.childNodes))"
    for page in ("/portrait/", "/portrait/from/?" + query(kind="type", key="purchase")):
        watch.open(page)
        watch.tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert watch.tab.evaluate(ORDER) == 0
        watch.tab.evaluate(unwrap)
        assert watch.tab.evaluate(ORDER) > 0
