"""What is left of a shopper who was erased: nothing that is theirs, in any table, session or process."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from shop_reco.events.engine import live_history
from shop_reco.events.models import Event
from shop_reco.events.services import Sender, record_events
from shop_reco.privacy.errors import ShopperGoneError
from shop_reco.privacy.exports import request_export
from shop_reco.privacy.models import ErasedKey, ErasureReceipt
from shop_reco.privacy.personal import personal_tables
from shop_reco.privacy.selectors import privacy_root
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.models import ErasedRow, ModelVersion, Slate, TrainingRun
from shop_reco.recommendations.services import drop_masks
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.memory import Memory
from shop_reco.recommendations.serving.slates import SlateBuffer
from shop_reco.users.models import Shopper, StaffRead
from shop_reco.users.selectors import erased_names, linked_ids
from shop_reco.users.services import (
    ShopperDraft,
    create_visitor,
    decide_consent,
    ensure_shopper,
    import_shoppers,
)


def test_erasing_leaves_no_row_and_a_receipt_without_a_name(trained, person):
    receipt = erase_shopper(shopper=person)
    assert receipt.counts["event"] == 8
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert "h0" not in json.dumps([receipt.counts, receipt.versions, receipt.document])


def test_everything_of_the_shopper_and_their_visitors_goes_and_is_counted(known):
    ids = linked_ids(shopper=known.shopper)
    export = request_export(shopper=known.shopper).export
    kept = {table.name: table.rows(shopper_ids=ids).count() for table in personal_tables()}
    assert all(kept.values()), kept
    receipt = erase_shopper(shopper=known.shopper)
    assert {name: receipt.counts[name] for name in kept} == kept
    assert receipt.counts["shopper"] == 2
    assert [table.name for table in personal_tables() if table.rows(shopper_ids=ids).exists()] == []
    assert not Shopper.objects.filter(pk__in=ids).exists()
    assert not (privacy_root() / "exports" / export.file).exists()
    assert not [name for name in known.canaries if name in receipt.document]


def test_the_account_of_the_host_stays_and_the_receipt_says_so(known):
    receipt = erase_shopper(shopper=known.shopper)
    known.user.refresh_from_db()
    assert "account" in json.loads(receipt.document)["scope"]


def test_that_staff_looked_stays_known_and_no_longer_at_whom(known):
    erase_shopper(shopper=known.shopper)
    read = StaffRead.objects.get(staff=known.staff)
    assert (read.shopper, read.why, read.what) == (None, "", "portrait")


def test_nobody_elses_rows_go(known):
    others = Event.objects.exclude(shopper__in=linked_ids(shopper=known.shopper)).count()
    erase_shopper(shopper=known.shopper)
    assert Event.objects.count() == others == 240


def test_a_second_erasure_finds_nobody(shop, person):
    erase_shopper(shopper=person)
    with pytest.raises(ShopperGoneError):
        erase_shopper(shopper=person)
    assert ErasureReceipt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_erasures_at_once_one_gets_the_receipt():
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")

    def erase(_):
        try:
            return erase_shopper(shopper=visitor)
        except ShopperGoneError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(erase, range(8)))
    assert len([receipt for receipt in receipts if receipt is not None]) == 1


@pytest.mark.django_db(transaction=True)
def test_erasures_of_many_at_once_make_one_chain():
    visitors = [create_visitor() for _ in range(8)]

    def erase(visitor):
        try:
            return erase_shopper(shopper=visitor)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(erase, visitors))
    chain = list(ErasureReceipt.objects.order_by("pk").values_list("previous_sha256", "sha256"))
    assert [before for before, _ in chain] == ["", *(sha256 for _, sha256 in chain[:-1])]


def test_events_that_arrive_after_are_kept_nowhere(shop, person):
    erase_shopper(shopper=person)
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"]
    assert not Event.objects.filter(shopper_id=person.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_list_still_waiting_to_be_written_is_not_written_after(shop, person):
    from shop_reco.recommendations.serving import slates

    buffer = SlateBuffer()
    served = [
        Slate(id=uuid.uuid4(), shopper=each, placement="home", rung="NEWEST", items=[], served_at=timezone.now())
        for each in (person, Shopper.objects.get(external_id="h1"))
    ]
    erase_shopper(shopper=person)
    slates._keep(served)
    assert list(Slate.objects.values_list("shopper__external_id", flat=True)) == ["h1"]
    assert buffer.find(served[0].id) is None


def test_the_stored_row_counts_nothing_in_every_process_at_its_next_request(trained, person):
    one, other = Memory(), Memory()
    masked = [memory.models().hybrid.parts["user_cf"].masked_ for memory in (one, other)]
    assert [int(mask.sum()) for mask in masked] == [0, 0]
    erase_shopper(shopper=person)
    for memory in (one, other, Memory()):
        model = memory.models().hybrid.parts["user_cf"]
        assert model.user_ids_[model.masked_].tolist() == [person.pk]


def test_a_list_after_an_erasure_is_not_what_the_erased_shopper_made_of_it(trained, person):
    twin = Shopper.objects.get(external_id="h6")
    model = Memory().models().hybrid.parts["user_cf"]
    history = live_history(shopper_ids=[twin.pk])
    near = model.user_ids_[model.neighbours(history)[0]].tolist()
    assert person.pk in near
    erase_shopper(shopper=person)
    model = Memory().models().hybrid.parts["user_cf"]
    assert person.pk not in model.user_ids_[model.neighbours(live_history(shopper_ids=[twin.pk]))[0]].tolist()


def test_the_receipt_says_which_versions_are_masked_and_which_still_serve(trained, person):
    versions = json.loads(erase_shopper(shopper=person).document)["versions"]
    assert {each["kind"]: each["rows"] for each in versions} == {
        kind: "masked" if kind == "user_cf" else "learnt, until retrained"
        for kind in ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again")
    }
    assert {each["state"] for each in versions} == {"live"}


def test_masks_are_dropped_when_no_version_is_left_that_could_hold_the_row(trained, person):
    erase_shopper(shopper=person)
    assert drop_masks() == 0
    TrainingRun.objects.exclude(recommender="user_cf").update(started_at=timezone.now() + dt.timedelta(seconds=1))
    assert drop_masks() == 0
    TrainingRun.objects.update(started_at=timezone.now() + dt.timedelta(seconds=1))
    assert drop_masks() == 1
    assert not ErasedRow.objects.exists()


def test_a_training_that_had_begun_keeps_its_masks(trained, person):
    ModelVersion.objects.filter(recommender="user_cf").delete()
    TrainingRun.objects.filter(recommender="user_cf").update(state="running")
    erase_shopper(shopper=person)
    assert drop_masks() == 0


def test_an_import_does_not_bring_an_erased_shopper_back(shop, person):
    erase_shopper(shopper=person)
    assert erased_names(external_ids=["h0", "h1", "unheard"]) == {"h0"}
    found = import_shoppers(rows=[ShopperDraft(external_id=name, region="north") for name in ("h0", "h1")])
    assert set(found) == {"h1"}
    assert not Shopper.objects.filter(external_id="h0").exists()


def test_whoever_comes_back_by_themselves_starts_empty_and_may_be_imported_again(shop, person):
    erase_shopper(shopper=person)
    back = ensure_shopper(external_id="h0")
    assert back.pk != person.pk
    assert not Event.objects.filter(shopper=back).exists()
    assert recommend_for(shopper=back, first=3).personalised is False
    assert erased_names(external_ids=["h0"]) == set()


def test_the_ledger_still_answers_after_the_secret_was_changed(shop, person, settings):
    erase_shopper(shopper=person)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert erased_names(external_ids=["h0"]) == {"h0"}
    assert not ErasedKey.objects.filter(digest__contains="h0").exists()
