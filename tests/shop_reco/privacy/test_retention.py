"""What is kept for a time only is gone at the next run after it; what was drawn or counted from it stays."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from shop_reco.events.models import RejectedEvent
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.models import Portrait
from shop_reco.privacy import retention
from shop_reco.privacy.exports import request_export
from shop_reco.privacy.models import ErasureReceipt, Export
from shop_reco.privacy.selectors import privacy_root
from shop_reco.privacy.services import erase_shopper
from shop_reco.privacy.tasks import trim
from shop_reco.staff.audit import note
from shop_reco.staff.models import StaffAction
from shop_reco.users.models import Shopper, StaffRead
from shop_reco.users.services import create_visitor, decide_consent, ensure_shopper


def after(**span):
    return timezone.now() + dt.timedelta(**span)


def test_rejected_events_go_after_thirty_days(known):
    assert retention.trim(now=after(days=29))["rejected events"] == 0
    assert RejectedEvent.objects.count() == 1
    assert retention.trim(now=after(days=31))["rejected events"] == 1
    assert RejectedEvent.objects.count() == 0


def test_exports_go_after_seven_days_with_their_files(known):
    request_export(shopper=known.shopper)
    folder = privacy_root() / "exports"
    assert retention.trim(now=after(days=6))["exports"] == 0
    assert len(list(folder.iterdir())) == 1
    assert retention.trim(now=after(days=8))["exports"] == 1
    assert list(folder.iterdir()) == []
    assert not Export.objects.exists()


def test_a_file_that_no_row_knows_goes_and_one_just_being_written_stays(known):
    folder = privacy_root() / "exports"
    folder.mkdir(exist_ok=True)
    (folder / "left.zip").write_bytes(b"")
    (folder / ".half").mkdir()
    (folder / ".half" / "data.json").write_bytes(b"{")
    retention.trim()
    assert (folder / "left.zip").exists()
    retention.trim(now=after(hours=1))
    assert list(folder.iterdir()) == []


def test_a_visitor_of_whom_nothing_is_known_goes_after_ninety_days(known):
    withdrawn, consenting = create_visitor(), create_visitor()
    decide_consent(shopper=withdrawn, decisions={"personalisation": True}, source="test")
    decide_consent(shopper=withdrawn, decisions={"personalisation": False}, source="test")
    decide_consent(shopper=consenting, decisions={"personalisation": True}, source="test")
    before = set(Shopper.objects.values_list("pk", flat=True))
    assert retention.trim(now=after(days=89))["visitors"] == 0
    assert retention.trim(now=after(days=91))["visitors"] == 1
    assert before - set(Shopper.objects.values_list("pk", flat=True)) == {withdrawn.pk}


def test_an_erased_name_that_a_server_said_again_goes_unless_the_person_consents(shop):
    for name in ("h0", "h1"):
        erase_shopper(shopper=Shopper.objects.get(external_id=name))
        ensure_shopper(external_id=name)
    unheard = ensure_shopper(external_id="unheard")
    decide_consent(shopper=Shopper.objects.get(external_id="h1"), decisions={"personalisation": True}, source="test")
    assert retention.trim(now=after(hours=23))["names that came back"] == 0
    assert retention.trim(now=after(hours=25))["names that came back"] == 1
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert Shopper.objects.filter(external_id__in=["h1", "unheard"]).count() == 2
    assert unheard.pk


def test_what_was_drawn_and_what_proves_stays(known):
    receipt = erase_shopper(shopper=Shopper.objects.get(external_id="h5"))
    portraits, reads = Portrait.objects.count(), StaffRead.objects.count()
    retention.trim(now=after(days=400))
    assert Portrait.objects.count() == portraits > 0
    assert StaffRead.objects.count() == reads == 1
    assert ErasureReceipt.objects.filter(pk=receipt.pk).exists()


def test_what_staff_did_goes_after_two_years(known, settings):
    note(by=None, what="change", row=known.shopper)
    assert retention.trim(now=after(days=729))["actions of staff"] == 0
    assert StaffAction.objects.count() == 1
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_RECORD_DAYS": 1000}
    assert retention.trim(now=after(days=999))["actions of staff"] == 0
    assert retention.trim(now=after(days=1001))["actions of staff"] == 1
    assert not StaffAction.objects.exists()


def test_ages_are_settings(known, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "REJECTED_DAYS": 1}
    assert retention.trim(now=after(days=2))["rejected events"] == 1


def test_many_rows_go_in_chunks(shop, person, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 10)
    events = [{"id": uuid.uuid4(), "type": "view_item", "sku": f"unknown{n}"} for n in range(35)]
    record_events(events=events, shopper=person, sender=Sender.SERVER)
    assert retention.trim(now=after(days=31))["rejected events"] == 35


@pytest.mark.django_db
def test_beat_runs_it_each_night():
    task = PeriodicTask.objects.get(task="shop_reco.privacy.tasks.trim")
    assert task.enabled
    assert task.crontab is not None
    assert set(trim()) == {
        "rejected events", "exports", "visitors", "names that came back", "masks", "allowances", "failed sign-ins",
        "actions of staff",
    }  # fmt: skip
