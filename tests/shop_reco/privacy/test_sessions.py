"""What sessions hold of an erased shopper goes after the commit, at once or by a worker, and the receipt says so."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from shop_reco.privacy import sessions
from shop_reco.privacy.models import ReceiptUpdate, SessionSweep
from shop_reco.privacy.receipts import note_sessions, public_key, receipt_file
from shop_reco.privacy.services import erase_shopper
from shop_reco.privacy.sessions import sweep_waiting
from shop_reco.privacy.verify import problems_of, told

CART = {"reco_cart": {str(uuid.uuid4()): 2}}


def session(content):
    made = SessionStore()
    made.update(content)
    made.save()
    return made.session_key


@pytest.fixture
def theirs(known):
    """Sessions of the shopper's account, of one who shops as them, and of somebody else."""
    return [
        session({"_auth_user_id": str(known.user.pk), "of_the_host": 1, **CART}),
        session({"reco_shop_as": known.name, **CART}),
        session({"_auth_user_id": str(known.staff.pk), **CART}),
    ]


@pytest.fixture
def erased(known, theirs, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        return erase_shopper(shopper=known.shopper)


@pytest.fixture
def offered(monkeypatch):
    names = []
    monkeypatch.setattr("shop_reco.hints.offer", lambda task, *args: names.append(task.name))
    return names


@pytest.fixture
def many(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SESSIONS_NOW": 2}


def carts(keys):
    return ["reco_cart" in SessionStore(key) for key in keys]


def updates(receipt):
    return [each["document"] for each in json.loads(receipt_file(public_id=receipt.public_id))["updates"]]


def test_carts_go_on_every_device_of_the_account_and_nobody_elses(known, theirs, erased, offered):
    assert carts(theirs) == [False, False, True]
    assert dict(SessionStore(theirs[0]).items()) == {"_auth_user_id": str(known.user.pk), "of_the_host": 1}
    assert dict(SessionStore(theirs[1]).items()) == {}
    assert [each["sessions"] for each in updates(erased)] == [2]
    assert not SessionSweep.objects.exists()
    assert offered == []


def test_of_many_sessions_an_erasure_reads_none_and_a_worker_clears_them(known, theirs, offered, many, erased):
    assert carts(theirs) == [True, True, True]
    assert offered == ["shop_reco.privacy.tasks.sweep_sessions"]
    assert updates(erased) == []
    assert (sweep_waiting(), sweep_waiting()) == (1, 0)
    assert carts(theirs) == [False, False, True]
    assert [each["sessions"] for each in updates(erased)] == [2]


def test_what_waits_for_a_worker_names_nobody(known, many, erased):
    sweep = SessionSweep.objects.get()
    assert len(sweep.marks) == 2
    assert not [each for each in [*known.canaries, known.user.username] if each in json.dumps(sweep.marks)]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_cleared_where_the_erasure_was_not_committed(known, theirs):
    class ChangedMindError(Exception):
        pass

    @transaction.atomic
    def half():
        erase_shopper(shopper=known.shopper)
        raise ChangedMindError

    with pytest.raises(ChangedMindError):
        half()
    assert carts(theirs) == [True, True, True]
    assert not SessionSweep.objects.exists()


@pytest.mark.parametrize("chunk", [1, 500])
def test_a_sweep_that_died_half_way_is_finished_by_the_next_and_counts_nothing_twice(
    known, theirs, many, erased, monkeypatch, chunk
):
    monkeypatch.setattr(sessions, "CHUNK", chunk)
    clear, calls = sessions._clear, []

    def dies(row, marks):
        calls.append(row)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return clear(row, marks)

    monkeypatch.setattr(sessions, "_clear", dies)
    with pytest.raises(KeyboardInterrupt):
        sweep_waiting()
    monkeypatch.setattr(sessions, "_clear", clear)
    assert sweep_waiting() == 0  # its lease is good still
    SessionSweep.objects.update(started_at=timezone.now() - dt.timedelta(minutes=6))
    assert sweep_waiting() == 1
    assert carts(theirs) == [False, False, True]
    assert [each["sessions"] for each in updates(erased)] == [2]


def test_the_follow_up_of_sessions_stands_in_the_receipts_chain(erased):
    note_sessions(receipt=erased, cleared=0)
    content = receipt_file(public_id=erased.public_id)
    assert problems_of(content, key=public_key()) == []
    assert [line.rpartition(": ")[2] for line in told(content) if "sessions cleared" in line] == ["2", "0"]
    changed = content.replace(b'"sessions":2', b'"sessions":3')
    assert changed != content
    assert problems_of(changed, key=public_key()) != []
    ReceiptUpdate.objects.order_by("pk").first().delete()
    assert problems_of(receipt_file(public_id=erased.public_id), key=public_key()) != []


def test_the_receipts_page_says_that_sessions_are_still_being_cleared_and_then_how_many(staff, many, erased):
    page = f"/admin/reco_privacy/erasurereceipt/{erased.pk}/change/"
    assert "<dd>still being cleared</dd>" in staff.get(page).content.decode()
    sweep_waiting()
    after = staff.get(page).content.decode()
    assert "still being cleared" not in after
    assert "essions</dt><dd>2</dd>" in after


def test_the_keys_of_sweeps_outlive_a_change_of_the_secret(theirs, many, erased, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    sweep_waiting()
    assert carts(theirs)[:1] == [False]


def test_a_lost_hint_costs_a_minute_and_no_more(db):
    task = PeriodicTask.objects.get(task="shop_reco.privacy.tasks.sweep_sessions")
    assert (task.enabled, task.interval.every, task.interval.period) == (True, 60, "seconds")
