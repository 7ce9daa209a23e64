"""Staff make sources, rotate their secrets and have failed deliveries done, and never see a secret twice."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User

from shop_reco.products.models import Product
from shop_reco.webhooks.models import WebhookDelivery, WebhookSource
from shop_reco.webhooks.sealing import unseal

from .senders import SECRET, generic, moment

SOURCES, DELIVERIES = "/admin/reco_webhooks/webhooksource/", "/admin/reco_webhooks/webhookdelivery/"
TEA = [{"sku": "tea", "title": "Tea", "updated_at": moment()}]


def form(**changes):
    return {
        "name": "My shop", "kind": "generic", "enabled": "on", "purposes": ["training"], "currency": "eur",
        "time_zone": "Europe/Berlin", "prefix": "", "new_secret": "", **changes,
    }  # fmt: skip


def shown(staff, page=SOURCES):
    found = re.search(r"shown this once: ([\w-]{43})", staff.get(page).content.decode())
    return found.group(1) if found else None


def test_a_source_is_made_and_its_secret_shown_once(staff, client):
    assert staff.post(f"{SOURCES}add/", form()).status_code == 302
    source = WebhookSource.objects.get()
    assert (source.purposes, source.currency, source.time_zone) == (["training"], "EUR", "Europe/Berlin")
    secret = shown(staff)
    assert secret == unseal(source.secret)
    for page in (SOURCES, f"{SOURCES}{source.pk}/change/"):
        text = staff.get(page).content.decode()
        assert secret not in text
        assert source.secret not in text
    assert f"/webhooks/{source.key}/" in staff.get(SOURCES).content.decode()
    assert generic(client, source, "products/upsert", TEA, secret=secret).status_code == 200


def test_a_secret_of_shopify_is_taken_and_never_shown(staff):
    staff.post(f"{SOURCES}add/", form(kind="shopify", new_secret=SECRET))
    source = WebhookSource.objects.get()
    assert unseal(source.secret) == SECRET
    for page in (SOURCES, f"{SOURCES}{source.pk}/change/"):
        assert SECRET not in staff.get(page).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"new_secret": "short"}, {"time_zone": "Mars/Base"}, {"kind": "none"}, {"purposes": ["all"]}, {"name": ""}],
)
def test_a_source_that_makes_no_sense_is_not_made(staff, wrong):
    assert staff.post(f"{SOURCES}add/", form(**wrong)).status_code == 200
    assert not WebhookSource.objects.exists()


def test_secrets_are_rotated_and_sources_disabled_from_the_list(staff, client, generic_source):
    def act(name):
        return staff.post(SOURCES, {"action": name, "_selected_action": [generic_source.pk], "confirmed": 1})

    act("make_new_secret")
    new = shown(staff)
    for secret, status in ((SECRET, 200), (new, 200)):
        assert generic(client, generic_source, "products/upsert", TEA, secret=secret).status_code == status
    act("end_previous")
    assert generic(client, generic_source, "products/upsert", TEA, secret=SECRET).status_code == 401
    act("disable")
    assert generic(client, generic_source, "products/upsert", TEA, secret=new).status_code == 401
    act("enable")
    assert generic(client, generic_source, "products/upsert", TEA, secret=new).status_code == 200


def test_a_source_is_changed_without_its_secret(staff, generic_source):
    page = f"{SOURCES}{generic_source.pk}/change/"
    assert staff.post(page, form(name="Renamed", purposes=[], enabled="")).status_code == 302
    source = WebhookSource.objects.get()
    assert (source.name, source.purposes, source.enabled, source.kind) == ("Renamed", [], False, "generic")
    assert unseal(source.secret) == SECRET
    assert source.previous_secret == ""
    staff.post(page, form(name="Renamed", new_secret="another secret of theirs"))
    source.refresh_from_db()
    assert (unseal(source.secret), unseal(source.previous_secret)) == ("another secret of theirs", SECRET)
    assert staff.post(f"{SOURCES}{source.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_have_a_failed_delivery_done_again(staff, client, generic_source):
    rows = [{"sku": "small", "title": "<script>alert(1)</script>", "parent_sku": "tea", "updated_at": moment()}]
    generic(client, generic_source, "products/upsert", rows)
    page = staff.get(DELIVERIES).content.decode()
    assert "UNKNOWN_PARENT" in page
    generic(client, generic_source, "products/upsert", TEA)
    failed = WebhookDelivery.objects.get(state="failed")
    picked = {"action": "replay", "_selected_action": [failed.pk], "confirmed": 1}
    text = staff.post(DELIVERIES, picked, follow=True).content.decode()
    assert "1 of 1 delivery is done now." in text
    assert Product.objects.get(sku="small").parent.sku == "tea"
    assert b"<script>alert(1)" not in staff.get(f"{DELIVERIES}{failed.pk}/change/").content


def test_who_may_only_look_changes_nothing(client, generic_source):
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__startswith="view_webhook"))
    client.force_login(looker)
    assert client.get(SOURCES).status_code == 200
    assert client.get(DELIVERIES).status_code == 200
    assert client.get(f"{SOURCES}add/").status_code == 403
    client.post(SOURCES, {"action": "disable", "_selected_action": [generic_source.pk]})
    client.post(f"{SOURCES}{generic_source.pk}/change/", form(name="Taken"))
    generic_source.refresh_from_db()
    assert (generic_source.enabled, generic_source.name) == (True, "generic")
