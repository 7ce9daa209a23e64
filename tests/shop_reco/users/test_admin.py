"""What staff see of shoppers, and how keys are issued and revoked."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from shop_reco.users.models import ApiKey, Shopper
from shop_reco.users.selectors import key_of, linked_ids
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_a_new_key_is_shown_once_and_works(staff):
    form = {"name": "warehouse", "scopes": ["events:write", "lists:read"]}
    page = staff.post("/admin/reco_users/apikey/add/", form, follow=True).content.decode()
    plain = re.search(r"The key, shown this once: ([\w.-]+)", page)[1]
    key = key_of(plain=plain)
    assert (key.name, key.scopes) == ("warehouse", ["events:write", "lists:read"])
    assert ApiKey.objects.count() == 1
    for path in ("", f"{key.pk}/change/"):
        again = staff.get(f"/admin/reco_users/apikey/{path}").content.decode()
        assert plain not in again
        assert key.digest not in again


def test_a_key_without_a_scope_is_not_issued(staff):
    assert staff.post("/admin/reco_users/apikey/add/", {"name": "warehouse"}).status_code == 200
    assert not ApiKey.objects.exists()


def test_a_key_cannot_be_edited_but_revoked(staff):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    form = {"name": "server", "scopes": ["privacy:admin"]}
    assert staff.post(f"/admin/reco_users/apikey/{key.pk}/change/", form).status_code == 403
    assert key_of(plain=plain).scopes == ["lists:read"]
    staff.post("/admin/reco_users/apikey/", {"action": "revoke", "_selected_action": [key.pk], "confirmed": 1})
    assert key_of(plain=plain) is None


def test_consents_are_read_only(shop, person, staff):
    consent = person.consents.first()
    assert staff.post(f"/admin/reco_users/consent/{consent.pk}/change/", {"granted": ""}).status_code == 403
    assert staff.post(f"/admin/reco_users/consent/{consent.pk}/delete/", {"post": "yes"}).status_code == 403
    consent.refresh_from_db()
    assert consent.granted


def test_a_shoppers_page_says_what_they_allow(shop, person, staff):
    decide_consent(shopper=person, decisions={"training": False}, source="test")
    page = staff.get(f"/admin/reco_users/shopper/{person.pk}/change/").content.decode()
    assert "Personalisation, Analytics" in page


def test_a_wrong_link_is_undone_in_the_list(shop, person, staff):
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link = link_visitor(visitor=visitor, account=person)
    picked = {"action": "undo", "_selected_action": [link.pk], "confirmed": 1}
    staff.post("/admin/reco_users/shopperlink/", picked)
    assert linked_ids(shopper=person) == [person.pk]


def test_shoppers_are_found_by_the_shops_own_id(shop, staff):
    page = staff.get("/admin/reco_users/shopper/", {"q": "h17"}).content.decode()
    assert ">h17<" in page
    assert ">h18<" not in page
    assert Shopper.objects.count() == 30
