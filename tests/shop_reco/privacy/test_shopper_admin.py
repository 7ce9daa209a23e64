"""Staff export and erase a shopper who asks them to: with a permission, a reason, and a password that is fresh."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from shop_reco.privacy.exports import build_waiting
from shop_reco.privacy.models import ErasureReceipt, Export
from shop_reco.staff import reauthentication
from shop_reco.staff.attempts import FREE
from shop_reco.staff.models import Role, StaffAction
from shop_reco.users.models import Shopper, StaffRead

PASSWORD = "Analytical-Engine-1843"


@pytest.fixture
def boss(db):
    user = User.objects.create_user("boss", password=PASSWORD, is_staff=True)
    user.groups.add(Role.objects.get(pk="administrator").group)
    client = Client()
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD})
    client.user = user
    return client


@pytest.fixture
def later(monkeypatch):
    """Lets minutes go by."""
    real = reauthentication.time.time

    def go(minutes):
        monkeypatch.setattr(reauthentication.time, "time", lambda: real() + 60 * minutes)

    return go


def address(shopper, page):
    return f"/admin/reco_users/shopper/{shopper.pk}/{page}/"


def unzipped(reply):
    archive = zipfile.ZipFile(io.BytesIO(b"".join(reply.streaming_content)))
    return json.loads(archive.read("data.json"))


def test_a_shoppers_page_leads_to_both(shop, person, boss):
    page = boss.get(address(person, "change")).content.decode()
    assert address(person, "export") in page
    assert address(person, "erase") in page


def test_an_export_holds_everything_and_that_staff_took_it(shop, person, boss):
    page = boss.get(address(person, "export")).content.decode()
    assert "Events: 8" in page
    assert 'type="password"' not in page
    reply = boss.post(address(person, "export"), {"why": "asked by letter"})
    assert reply["Content-Disposition"] == f'attachment; filename="shopper-{person.public_id.hex[:8]}.zip"'
    assert "no-store" in reply["Cache-Control"]
    data = unzipped(reply)
    assert len(data["event"]) == 8
    read = StaffRead.objects.get()
    assert (read.what, read.why, read.staff, read.shopper) == ("export", "asked by letter", boss.user, person)
    assert "asked by letter" in json.dumps(data)
    kept = StaffAction.objects.get()
    assert (kept.what, kept.who, kept.model, kept.object_id, kept.name, kept.why) == (
        "export", "boss", "reco_users.shopper", str(person.pk), "", "asked by letter",
    )  # fmt: skip


def test_an_export_that_takes_a_worker_is_fetched_when_it_is_made(shop, person, boss, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "EXPORT_NOW_ROWS": 0}
    reply = boss.post(address(person, "export"), {"why": "asked by letter"}, follow=True)
    assert "is being made" in reply.content.decode()
    build_waiting()
    assert "The export is ready" in boss.get(address(person, "export")).content.decode()
    assert len(unzipped(boss.post(address(person, "export"), {"why": "asked by letter"}))["event"]) == 8
    assert Export.objects.get().used_at is not None


def test_an_erasure_takes_everything_and_leaves_a_receipt_and_a_record(shop, person, boss):
    page = boss.get(address(person, "erase")).content.decode()
    assert "cannot be undone" in page
    assert "Events: 8" in page
    reply = boss.post(address(person, "erase"), {"why": "asked by letter"}, follow=True)
    assert not Shopper.objects.filter(pk=person.pk).exists()
    receipt = ErasureReceipt.objects.get()
    assert str(receipt.public_id) in reply.content.decode()
    kept = StaffAction.objects.get()
    assert (kept.what, kept.who, kept.object_id, kept.why) == ("erase", "boss", str(person.pk), "asked by letter")
    everything = str(list(StaffAction.objects.values()))
    for word in (person.external_id + "'", str(person.public_id), person.public_id.hex[:8]):
        assert word not in everything
    assert boss.post(address(person, "erase"), {"why": "again"}).status_code == 404


@pytest.mark.parametrize("page", ["export", "erase"])
def test_without_a_reason_nothing_happens(shop, person, boss, page):
    assert boss.post(address(person, page), {"why": " "}).status_code == 200
    assert Shopper.objects.filter(pk=person.pk).exists()
    assert not Export.objects.exists()
    assert not StaffAction.objects.exists()


@pytest.mark.parametrize("page", ["export", "erase"])
def test_a_password_that_was_given_long_ago_is_asked_for_again(shop, person, boss, later, page):
    later(11)
    assert 'type="password"' in boss.get(address(person, page)).content.decode()
    for password in ("", "wrong"):
        reply = boss.post(address(person, page), {"why": "asked by letter", "password": password})
        assert reply.status_code == 200
        assert Shopper.objects.filter(pk=person.pk).exists()
        assert not Export.objects.exists()
        assert not StaffAction.objects.exists()
    reply = boss.post(address(person, page), {"why": "asked by letter", "password": PASSWORD})
    assert reply.status_code == (200 if page == "export" else 302)
    assert StaffAction.objects.get().what == page
    other = Shopper.objects.exclude(pk=person.pk).first()
    assert 'type="password"' not in boss.get(address(other, page)).content.decode()


def test_how_long_a_password_counts_is_a_setting(shop, person, boss, later, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_PASSWORD_MINUTES": 30.0}
    later(11)
    assert 'type="password"' not in boss.get(address(person, "erase")).content.decode()
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_PASSWORD_MINUTES": 0.0}
    assert 'type="password"' in boss.get(address(person, "erase")).content.decode()


def test_guessing_the_password_there_is_slowed_down_as_signing_in_is(shop, person, boss, later):
    later(11)
    for _ in range(FREE):
        boss.post(address(person, "erase"), {"why": "asked", "password": "wrong"})
    boss.post(address(person, "erase"), {"why": "asked", "password": PASSWORD})
    assert Shopper.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize(("page", "codename"), [("export", "export_shopper"), ("erase", "erase_shopper")])
def test_each_needs_its_own_permission(shop, person, client, page, codename):
    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename=codename))
    client.force_login(user)
    assert address(person, page) not in client.get(address(person, "change")).content.decode()
    assert client.get(address(person, page)).status_code == 403
    assert client.post(address(person, page), {"why": "asked"}).status_code == 403
    assert Shopper.objects.filter(pk=person.pk).exists()


def test_an_erasure_that_fails_leaves_no_record(shop, person, boss, monkeypatch):
    def fails(**kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("shop_reco.privacy.shopper_admin.erase_shopper", fails)
    with pytest.raises(OSError, match="disk full"):
        boss.post(address(person, "erase"), {"why": "asked"})
    assert not StaffAction.objects.exists()
    assert Shopper.objects.filter(pk=person.pk).exists()
