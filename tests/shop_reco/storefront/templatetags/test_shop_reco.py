"""The tags that a shop copies into its own templates."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.template import Context, Template
from django.test import RequestFactory

from shop_reco.api.identity import SHOP_AS
from shop_reco.api.ids import global_id
from shop_reco.recommendations.serving.slates import buffer


@pytest.fixture
def render(trained, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}

    def render_(text, shopper=None, **content):
        request = RequestFactory().get("/")
        request.session, request.user = SessionStore(), AnonymousUser()
        if shopper:
            request.session[SHOP_AS] = shopper
        return Template("{% load shop_reco %}" + text).render(Context({"request": request, **content}))

    return render_


def products_in(page):
    return re.findall(r'class="reco-card" data-product="([^"]+)"', page)


def test_one_line_shows_a_placement_with_reasons(render):
    page = render('{% recommendations "home" title="For you" first=5 %}', "h0")
    assert len(products_in(page)) == 5
    assert "<h2>For you</h2>" in page
    assert page.count('class="reco-reasons"') == 5
    assert "data-personal" in page


def test_no_product_is_in_two_lists_of_a_page(render):
    page = render('{% recommendations "home" %}{% recommendations "again" %}{% recommendations "popular" %}', "h0")
    found = products_in(page)
    assert len(found) > 20
    assert len(found) == len(set(found))


def test_a_list_is_about_products_by_the_shops_own_names_or_by_id(render, trained):
    about = global_id("Product", trained.products["Tea-1"].public_id)
    by_sku = render('{% recommendations "similar" sku="Tea-1" first=4 %}')
    by_id = render('{% recommendations "similar" products=about first=4 %}', about=about)
    assert products_in(by_sku) == products_in(by_id)
    assert about not in products_in(by_sku)


def test_a_list_that_must_be_personal_is_not_there_for_a_stranger(render):
    assert render('{% recommendations "home" personal=True %}').strip() == ""
    assert products_in(render('{% recommendations "home" personal=True %}', "h0"))


def test_a_list_that_is_not_shown_keeps_nothing_from_the_next_one(render):
    alone = render('{% recommendations "popular" first=5 %}')
    after = render('{% recommendations "home" first=5 personal=True %}{% recommendations "popular" first=5 %}')
    assert products_in(after) == products_in(alone)


def test_where_there_is_nothing_there_is_no_heading_unless_it_is_to_be_said(render):
    assert render('{% recommendations "again" title="Again" %}').strip() == ""
    assert "Not yet" in render('{% recommendations "again" title="Again" empty="Not yet" %}')


def test_a_list_that_fails_takes_no_page_with_it(render):
    assert render('before {% recommendations "nowhere" %} after').split() == ["before", "after"]


def test_a_lazy_list_is_asked_for_by_the_browser_alone(render, monkeypatch):
    monkeypatch.setattr(buffer, "put", lambda slate: pytest.fail("a list was served"))
    page = render('{% recommendations "home" first=4 lazy=True %}', "h0")
    assert page.count("reco-waiting") == 4
    assert "data-lazy" in page


def test_the_script_knows_where_and_by_which_documents_to_ask(render, client):
    page = render("{% recommendations_script %}", "h0")
    told = json.loads(re.search(r'<script id="reco-settings" type="application/json">(.*?)</script>', page)[1])
    assert (told["graphql"], told["beacon"]) == ("/graphql/", "/events/beacon/")
    assert told["owner"]
    body = {"documentId": told["documents"]["lists"], "variables": {"requests": [{"placement": "popular", "first": 3}]}}
    answer = client.post("/graphql/", body, content_type="application/json").json()
    assert len(answer["data"]["lists"][0]["edges"]) == 3


def test_the_lines_of_the_readme_work_as_they_stand(render, trained, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "PRODUCT_URL": "/p/{sku}/{language}/"}
    readme = (settings.BASE_DIR / "README.md").read_text()
    lines = re.search(r"```django\n(.*?)```", readme, re.DOTALL)[1]
    page = render(lines, "h0", product=trained.products["Tea-1"])
    assert page.count('class="reco-list"') == 2
    assert re.search(r'class="reco-link" href="/p/(Tea|Soap|Cheese)-\d+/en/"', page)
    assert 'src="/static/shop_reco/lists.js"' in page
