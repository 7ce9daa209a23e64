"""What the demo shop's pages do, show and escape."""

from __future__ import annotations

import html
import re

import pytest
from django.test import RequestFactory
from django.views.defaults import server_error

from shop_reco.events.models import Event
from shop_reco.portraits.services import refresh_dirty, refresh_portrait
from shop_reco.users.models import Shopper
from tests.shop_reco.graphql import ask


def test_checkout_writes_purchases_on_the_server(trained, client):
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    product = trained.products["Tea-1"]
    assert client.get(f"/product/{product.public_id}/").status_code == 200
    client.post("/cart/", {"action": "add", "product": str(product.public_id)})
    assert client.get("/checkout/").status_code == 200
    thanks = client.post("/checkout/", follow=True)
    visitor = Shopper.objects.get(external_id=None)
    assert Event.objects.filter(shopper=visitor, type="purchase", product=product).count() == 1
    assert Event.objects.get(shopper=visitor, type="purchase").order in thanks.content.decode()
    assert b"Your cart is empty" in client.get("/cart/").content


def test_what_goes_into_the_cart_and_out_again_counts_as_behaviour(trained, client):
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    tea = trained.products["Tea-1"]
    put(client, tea)
    put(client, tea, action="set", quantity="4")
    put(client, tea, action="set", quantity="4")
    put(client, tea, action="remove")
    told = Event.objects.filter(shopper=Shopper.objects.get(external_id=None)).order_by("received_at")
    assert list(told.values_list("type", "quantity")) == [
        ("add_to_cart", 1), ("add_to_cart", 3), ("remove_from_cart", 4)
    ]  # fmt: skip


def test_a_strangers_cart_is_told_to_nobody(trained, client):
    before = Event.objects.count()
    put(client, trained.products["Tea-1"])
    client.post("/checkout/")
    assert Event.objects.count() == before


def test_what_a_catalogue_wrote_is_shown_as_text(trained, client):
    product = trained.products["Tea-1"]
    product.title = "<script>alert(1)</script>"
    product.save()
    assert b"<script>alert(1)" not in client.get(f"/product/{product.public_id}/").content


def test_the_shop_speaks_chinese(trained, client):
    page = client.get("/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "当前热门" in page


def title(page):
    return re.search("<title>(.*?)</title>", page.content.decode())[1]


NAMES = ("Home", "Search", "Search: tea", "Tea", "Cart", "My portrait", "My history")


def test_each_page_has_a_title_of_its_own(trained, client):
    slug = trained.products["Tea-1"].category.slug
    paths = ("/", "/search/", "/search/?q=tea", f"/category/{slug}/", "/cart/", "/portrait/", "/history/")
    titles = [title(client.get(path)) for path in paths]
    assert titles == [f"{name} · The Shop" for name in NAMES]


@pytest.mark.parametrize("cursor", ["zzz", "%00", "UHJvZHVjdDoxMjM="])
def test_a_cursor_that_leads_nowhere_gives_the_first_page(trained, client, cursor):
    slug = trained.products["Tea-1"].category.slug
    for path in ("/search/?q=tea", f"/category/{slug}/?"):
        page = client.get(f"{path}&after={cursor}")
        assert page.status_code == 200
        assert "Tea 0" in page.content.decode()


def test_a_category_that_does_not_exist_is_not_found_in_our_dress(trained, client):
    for path in ("/category/nothing/", "/category/%00/", "/nowhere/"):
        page = client.get(path)
        assert page.status_code == 404
        assert b"There is no such page." in page.content
        assert b"shop_reco/shop.css" in page.content


def test_the_page_of_a_failure_asks_no_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        page = server_error(RequestFactory().get("/"))
    assert page.status_code == 500
    assert b"The mistake is ours." in page.content


def put(client, product, **fields):
    client.post("/cart/", {"action": "add", "product": str(product.public_id)} | fields)


def test_the_cart_tells_what_each_line_and_all_of_it_costs(trained, client):
    tea, soap = trained.products["Tea-1"], trained.products["Soap-4"]
    put(client, tea)
    put(client, soap)
    put(client, tea, action="set", quantity="3")
    page = client.get("/cart/").content.decode()
    assert f'href="/product/{tea.public_id}/"' in page
    assert re.findall(r'class="price total">(.*?)<', page) == ["$6.00", "$5.00"]
    assert 'id="total-USD">$11.00<' in page
    assert 'data-placement="together"' in page


@pytest.mark.parametrize(("quantity", "kept"), [("0", 0), ("-2", 0), ("1000", 99), ("many", 1), ("", 1)])
def test_a_quantity_stays_sensible(trained, client, quantity, kept):
    put(client, trained.products["Tea-1"])
    put(client, trained.products["Tea-1"], action="set", quantity=quantity)
    assert sum(client.session["reco_cart"].values()) == kept


def test_an_empty_cart_cannot_be_ordered(trained, client):
    before = Event.objects.count()
    page = client.post("/checkout/", follow=True).content.decode()
    assert "nothing was ordered" in page
    assert "Your order is" not in page
    assert Event.objects.count() == before


def test_a_list_that_is_not_personal_is_not_shown_as_picked(trained, client):
    page = client.get("/").content.decode()
    assert 'data-placement="home"' not in page
    assert 'data-placement="popular"' in page


def test_a_newcomer_who_said_no_is_asked_in_the_portrait_alone(trained, client):
    client.cookies["reco_said_no"] = "1"
    assert b"data-consent" not in client.get("/").content
    assert b"data-consent" in client.get("/portrait/").content


def test_the_portrait_names_its_currency_and_explains_what_can_be_allowed(trained, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    client.post("/shop-as/", {"household": "h0"})
    refresh_dirty()
    page = client.get("/portrait/").content.decode()
    assert "$20.00" in page
    assert "Pin an interest to see more of it" in page
    assert page.count('<small id="about-') == 3


@pytest.fixture
def household(trained, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    client.post("/shop-as/", {"household": "h0"})
    refresh_dirty()
    return client


def test_the_portrait_has_charts_with_their_numbers_in_tables(household):
    page = household.get("/portrait/").content.decode()
    assert page.count('<figure class="chart">') == page.count('role="img"') == page.count("As a table") == 3
    assert "style=" not in page.partition("<main")[2]
    assert page.count('data-edit="hide"') == page.count('data-edit="pin"') > 3


def test_each_number_of_the_portrait_leads_to_its_events(household):
    page = household.get("/portrait/").content.decode()
    links = set(re.findall(r'href="(/portrait/from/[^"]+)"', page))
    assert len(links) > 10
    for link in links:
        found = household.get(html.unescape(link))
        assert found.status_code == 200
        assert "There is no event behind this." not in found.content.decode(), link


def test_behind_a_number_that_there_is_none_of_is_no_page(household, client):
    assert household.get("/portrait/from/?kind=dance&key=x").status_code == 404
    assert household.get("/portrait/from/?kind=brand&key=%00").status_code == 200
    client.post("/shop-as/", {"household": ""})
    assert client.get("/portrait/from/?kind=brand&key=B1").status_code == 404


def test_a_newcomers_portrait_says_how_to_begin(trained, client):
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    assert "Your portrait is not drawn yet." in client.get("/portrait/").content.decode()
    refresh_portrait(shopper_id=Shopper.objects.get(external_id=None).pk)
    page = client.get("/portrait/").content.decode()
    assert "There is nothing to say of you yet." in page
    assert "<figure" not in page


def test_no_page_runs_or_loads_what_is_not_the_shops(trained, client):
    for path in ("/", "/search/?q=tea", f"/product/{trained.products['Tea-1'].public_id}/", "/cart/", "/portrait/"):
        page = client.get(path)
        policy = page["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")
        text = page.content.decode()
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?! type=\"module\" src=| id=\"reco-settings\")", text)


def test_a_shopper_reads_what_they_did_and_said_day_by_day(household, trained):
    from shop_reco.recommendations.services import give_feedback

    person = Shopper.objects.get(external_id="h0")
    give_feedback(shopper=person, product=trained.products["Tea-3"], kind="like")
    page = household.get("/history/").content.decode()
    assert page.count("Purchase") == 8
    assert page.count("$2.50") == 8
    assert 'data-kind="LIKE"' in page
    assert "Tea 3" in page
    assert household.get("/history/?after=zzz").status_code == 200


def test_a_stranger_has_no_history(trained, client):
    assert "Nothing is kept of you." in client.get("/history/").content.decode()


def test_nobody_is_thanked_for_no_order(trained, client):
    assert client.get("/thanks/")["Location"] == "/"
