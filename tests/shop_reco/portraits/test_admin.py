"""A portrait is read as the shopper sees it, and not written; what staff may not view elsewhere is not in it."""

from __future__ import annotations

import html
import re
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.events.models import Event
from shop_reco.portraits.models import Portrait
from shop_reco.portraits.reading import BEHIND_KINDS
from shop_reco.portraits.segmenting import fit_segments
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.products.models import Category, Product
from shop_reco.products.services import set_sensitive
from shop_reco.users.services import ShopperDraft, decide_consent, import_shoppers


def page_of(client, person, path="change"):
    address = f"/admin/reco_portraits/portrait/{person.pk}/{path}/"
    client.post(address, {"why": "a question of theirs"})
    return client.get(address)


@pytest.fixture
def reader(db, client):
    """Staff who may view portraits and nothing else."""
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_portrait"))
    client.force_login(user)
    client.user = user
    return client


def test_interests_can_be_read_with_what_the_shopper_did_to_them(shop, person, staff):
    refresh_dirty()
    edit_interests(shopper=person, block=[("category", "Tea")])
    page = page_of(staff, person).content.decode()
    assert "Shop &gt; Tea" in page
    assert "blocked" in page
    assert "20.00 USD" in page
    assert page.count("<svg viewBox") == 3
    assert page.index("<svg viewBox") < page.index("<dl")


def test_a_portrait_can_be_neither_changed_nor_deleted(shop, person, staff):
    refresh_dirty()
    for page in ("change", "delete"):
        assert staff.post(f"/admin/reco_portraits/portrait/{person.pk}/{page}/", {"post": "yes"}).status_code == 403
    assert Portrait.objects.filter(shopper=person).exists()


def test_who_may_view_portraits_alone_sees_neither_the_person_nor_the_events(shop, person, reader):
    refresh_dirty()
    import_shoppers(rows=[ShopperDraft(external_id="h0", age_band="45-54", region="North")])
    page = page_of(reader, person).content.decode()
    assert "Tea" in page
    assert "45-54" not in page
    assert "North" not in page
    assert "kind=type" not in page
    assert f"/admin/reco_users/shopper/{person.pk}/" not in page
    assert reader.get(f"/admin/reco_portraits/portrait/{person.pk}/from/?kind=type&key=purchase").status_code == 403
    reader.user.user_permissions.add(
        *Permission.objects.filter(
            codename__in=["view_shopper", "view_event", "view_personal_data"],
            content_type__app_label__startswith="reco",
        )
    )
    page = page_of(reader, person).content.decode()
    assert "45-54" in page
    assert "kind=type" in page
    behind = reader.get(f"/admin/reco_portraits/portrait/{person.pk}/from/?kind=type&key=purchase")
    assert behind.status_code == 200
    assert behind.content.decode().count("Purchase</td>") == 8


def test_behind_a_number_that_there_is_none_of_is_no_page(shop, person, staff):
    refresh_dirty()
    assert staff.get(f"/admin/reco_portraits/portrait/{person.pk}/from/?kind=dance&key=x").status_code == 404
    assert staff.get("/admin/reco_portraits/portrait/999999/from/?kind=type&key=purchase").status_code == 404


def test_each_number_leads_to_the_events_it_was_counted_from(shop, busy, staff):
    refresh_dirty()
    page = page_of(staff, busy).content.decode()
    links = {html.unescape(each) for each in re.findall(r'href="([^"]*/from/[^"]*)"', page)}
    kinds = {parse_qs(urlsplit(each).query)["kind"][0] for each in links}
    assert kinds == set(BEHIND_KINDS)
    for each in links:
        behind = staff.get(each)
        assert behind.status_code == 200, each
        assert "There is no event behind this" not in behind.content.decode(), each
    counts = Counter(Event.objects.filter(shopper=busy).values_list("type", flat=True))
    for kind, n in counts.items():
        link = next(each for each in links if each.endswith(f"kind=type&key={kind}"))
        assert f">{n}</a>" in page
        assert f"<b>{n}</b>" in staff.get(link).content.decode()


def test_more_events_than_a_page_has_are_told_of(shop, busy, staff):
    refresh_dirty()
    page_of(staff, busy)
    n = Event.objects.filter(shopper=busy, type="search").count()
    behind = staff.get(f"/admin/reco_portraits/portrait/{busy.pk}/from/?kind=type&key=search").content.decode()
    assert f"The newest 50 of {n} events" in behind
    assert behind.count("Search</td>") == 50


def test_a_portrait_says_where_its_segment_stands_to_whoever_may_see_segments(two_kinds, staff, reader):
    fit_segments()
    page = page_of(reader, two_kinds[0]).content.decode()
    assert "Much money" in page or "Buys often" in page
    assert "this shopper" not in page
    reader.user.user_permissions.add(Permission.objects.get(codename="view_segmentation"))
    page = page_of(reader, two_kinds[0]).content.decode()
    assert page.count("this shopper") == 1
    assert "/reco_portraits/segmentation/now/" in page


def test_an_empty_portrait_says_why(shop, person, staff):
    refresh_dirty()
    decide_consent(shopper=person, decisions={"analytics": True}, source="test")
    Portrait.objects.update(counts={})
    assert "There is nothing to show" in page_of(staff, person).content.decode()


NOW = "/admin/reco_portraits/segmentation/now/"


def test_the_page_of_segments_shows_sizes_habits_and_what_is_typical(shop, looking, staff):
    fit_segments()
    page = staff.get(NOW).content.decode()
    assert page.count("15 shoppers (50%)") == 2
    assert page.count("1.5×") == 4
    assert f'/admin/reco_products/product/{shop.products["Tea-1"].pk}/change/"><bdi>Tea 1</bdi>' in page
    assert "<bdi>Shop &gt; Soap</bdi>" in page
    assert "about 0 days ago" in page
    assert page.index("<svg") < page.index("<dl")


def test_the_page_of_segments_names_nothing_that_became_sensitive_or_was_deleted(shop, looking, staff):
    fit_segments()
    set_sensitive(categories=Category.objects.filter(name="Soap"), sensitive=True)
    Product.objects.filter(sku="Tea-1").update(deleted_at=shop.now)
    page = staff.get(NOW).content.decode()
    assert "Soap" not in page
    assert "Tea 1" not in page
    assert "<bdi>Shop &gt; Tea</bdi>" in page


def test_whoever_may_not_open_products_reads_their_names(shop, looking, reader):
    fit_segments()
    assert reader.get(NOW).status_code == 403
    reader.user.user_permissions.add(Permission.objects.get(codename="view_segmentation"))
    page = reader.get(NOW).content.decode()
    assert "<bdi>Tea 1</bdi>" in page
    assert "/reco_products/product/" not in page


def test_without_groups_the_page_says_what_to_do(shop, staff):
    page = staff.get(NOW).content.decode()
    assert "50 such shoppers are needed" in page
    assert "/admin/reco_events/dataimport/" in page
    assert "/admin/django_celery_beat/periodictask/" in page


def test_and_leads_nobody_where_they_may_not_go(shop, reader):
    reader.user.user_permissions.add(Permission.objects.get(codename="view_segmentation"))
    page = reader.get(NOW).content.decode()
    assert "There are no groups yet" in page
    assert "periodictask" not in page
    assert "dataimport" not in page


def test_the_page_of_segments_asks_as_often_for_many_shoppers_as_for_few(shop, looking, staff):
    def queries():
        staff.get(NOW)
        with CaptureQueriesContext(connection) as asked:
            assert staff.get(NOW).status_code == 200
        return [each["sql"] for each in asked]

    fit_segments()
    before = queries()
    for _ in range(3):
        fit_segments()
    assert len(queries()) == len(before)
    assert not [sql for sql in before if "reco_events_event" in sql or 'FROM "reco_portraits_portrait"' in sql]


def test_groups_are_shown_but_no_small_one_and_nothing_sensitive(two_kinds, staff, settings):
    made = fit_segments()
    address = f"/admin/reco_portraits/segmentation/{made.pk}/change/"
    page = staff.get(address).content.decode()
    assert page.count("15 shoppers") == 2
    assert "<bdi>Shop &gt; Tea</bdi> (15)" in page
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    assert "Shop &gt; Tea" not in staff.get(address).content.decode()
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 16}
    assert "15 shoppers" not in staff.get(address).content.decode()
