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
    tab.context.add_cookies(
        [{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
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
    yield from ("/", "/cart/", "/portrait/")
    for text in hostile.FIRING[6:24:2]:
        yield reverse("shop_reco_storefront:search") + "?" + query(q=text)
    for product in products[::20]:
        yield f"/product/{product.public_id}/"
        yield reverse("shop_reco_storefront:category", args=[product.category.slug])
    for text in (hostile.FIRING[0], hostile.FIRING[20]):
        yield "/portrait/from/?" + query(kind="category", key=f"Shop > {text}")
        yield f"/admin/reco_portraits/portrait/{filled.me.pk}/from/?" + query(kind="category", key=text)


def query(**parts):
    return urlencode(parts)


def admin_pages(filled):
    yield "/admin/"
    yield f"/admin/reco_portraits/portrait/{filled.me.pk}/change/"
    for model, model_admin in admin_site._registry.items():
        name = f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}"
        searched = "?" + query(q=hostile.FIRING[20]) if model_admin.search_fields else ""
        yield reverse(f"{name}_changelist")
        if searched:
            yield reverse(f"{name}_changelist") + searched
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
