"""A portrait is read as the shopper sees it, and not written."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from shop_reco.portraits.models import Portrait
from shop_reco.portraits.services import edit_interests, refresh_dirty


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_interests_can_be_read_with_what_the_shopper_did_to_them(shop, person, staff):
    refresh_dirty()
    edit_interests(shopper=person, block=[("category", "Tea")])
    page = staff.get(f"/admin/reco_portraits/portrait/{person.pk}/change/").content.decode()
    assert "Tea" in page
    assert "blocked" in page
    assert "20" in page


def test_a_portrait_can_be_neither_changed_nor_deleted(shop, person, staff):
    refresh_dirty()
    for page in ("change", "delete"):
        assert staff.post(f"/admin/reco_portraits/portrait/{person.pk}/{page}/", {"post": "yes"}).status_code == 403
    assert Portrait.objects.filter(shopper=person).exists()
