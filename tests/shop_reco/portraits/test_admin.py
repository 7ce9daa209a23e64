"""A portrait is read as the shopper sees it, and not written; what staff may not view elsewhere is not in it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User

from shop_reco.portraits.models import Portrait
from shop_reco.portraits.segmenting import fit_segments
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.products.models import Category
from shop_reco.products.services import set_sensitive
from shop_reco.users.services import ShopperDraft, import_shoppers


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
