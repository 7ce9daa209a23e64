"""Searches and categories: in the shopper's own order, which can be switched off."""

from __future__ import annotations

import html
import re

import pytest


@pytest.fixture
def household(trained, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    client.post("/shop-as/", {"household": "h0"})
    return client


def titles(page):
    main = page.content.decode().partition("<main")[2]
    listed = main[main.index('aria-label="Order"') :] if 'aria-label="Order"' in main else main
    return re.findall(r'class="reco-name" dir="auto">([^<]+)</span></a>', listed)


def next_link(page):
    found = re.search(r'class="more" href="([^"]+)"', page.content.decode())
    return html.unescape(found[1]) if found else None


def test_a_search_is_in_the_shoppers_own_order_until_they_switch_it_off(household):
    mine = titles(household.get("/search/?q=shop"))
    plain = titles(household.get("/search/?q=shop&order=plain"))
    assert plain == sorted(plain)
    assert mine != sorted(mine)
    assert len(mine) == len(plain) == 24
    assert titles(household.get("/search/?q=shop")) == plain
    assert titles(household.get("/search/?q=shop&order=mine")) == mine
    assert titles(household.get("/search/?q=shop")) == mine


def test_a_stranger_gets_them_by_name_and_no_switch(trained, client):
    page = client.get("/search/?q=shop")
    assert titles(page) == sorted(titles(page))
    assert b'aria-label="Order"' not in page.content


@pytest.mark.parametrize("order", ["mine", "plain"])
def test_every_product_comes_once_over_the_pages(household, trained, order):
    seen, link = [], f"?q=shop&order={order}"
    while link:
        page = household.get(f"/search/{link}")
        seen += titles(page)
        link = next_link(page)
    assert sorted(seen) == sorted(product.title for product in trained.products.values())


def test_blocks_follow_each_other_in_their_own_order(household, trained, monkeypatch):
    monkeypatch.setattr("shop_reco.storefront.shelves.BLOCK", 10)
    monkeypatch.setattr("shop_reco.storefront.shelves.SIZE", 4)
    seen, link = [], "?q=shop"
    while link:
        page = household.get(f"/search/{link}")
        seen.append(titles(page))
        link = next_link(page)
    assert [len(each) for each in seen] == [4, 4, 2, 4, 4, 2, 4, 4, 2, 4, 2]
    assert len({title for each in seen for title in each}) == 36


def test_a_category_shows_what_is_below_it_and_where_one_is(household, trained):
    parent = trained.products["Tea-1"].category.parent
    page = household.get(f"/category/{parent.slug}/").content.decode()
    assert page.count('href="/category/') >= 3
    below = household.get(f"/category/{trained.products['Tea-1'].category.slug}/").content.decode()
    assert f'href="/category/{parent.slug}/"' in below
    assert 'aria-current="page">Tea<' in below


def test_of_a_large_category_a_few_are_picked_for_the_shopper(household, trained, monkeypatch):
    monkeypatch.setattr("shop_reco.storefront.shelves.SIZE", 4)
    page = household.get(f"/category/{trained.products['Tea-1'].category.slug}/").content.decode()
    picked = page[page.index('data-placement="home"') : page.index('aria-label="Order"')]
    named = re.findall(r'class="reco-name" dir="auto">([^<]+)</span></a>', picked)
    assert named
    assert all(name.startswith("Tea") for name in named)


def test_where_nothing_is_found_what_is_popular_is_offered(trained, client):
    page = client.get("/search/?q=qqqq").content.decode()
    assert "Nothing found." in page
    assert 'data-placement="popular"' in page
