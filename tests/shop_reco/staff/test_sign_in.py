"""Guessing passwords of the admin gets slower and slower, and the owner of an account is never kept out for long."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from shop_reco.privacy.retention import trim
from shop_reco.staff.attempts import FREE, LONGEST, begin_attempt, wait_after
from shop_reco.staff.models import FailedSignIns, StaffAction

PASSWORD = "Analytical-Engine-1843"
REFUSED = "refused for a while, 15 minutes at most"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


def sign_in(client, name="ada", password=PASSWORD, address="192.0.2.1"):
    return client.post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def got_in(reply):
    return reply.status_code == 302


def test_five_failures_are_free_and_the_sixth_attempt_waits(ada, client, clock):
    for _ in range(FREE):
        assert REFUSED in sign_in(client, password="wrong").content.decode()
    assert not got_in(sign_in(client))
    clock.go(seconds=14)
    assert not got_in(sign_in(client))
    clock.go(seconds=1)
    assert got_in(sign_in(client))


def test_waits_double_up_to_a_quarter_of_an_hour():
    seconds = [wait_after(n).total_seconds() for n in (0, 4, 5, 6, 7, 10, 11, 12, 1000)]
    assert seconds == [0, 0, 15, 30, 60, 480, 900, 900, 900]


def test_attempts_that_come_too_early_are_not_read_and_do_not_add_up(ada, client, clock):
    for _ in range(FREE):
        sign_in(client, password="wrong")
    before = list(FailedSignIns.objects.order_by("digest").values())
    for _ in range(50):
        assert not got_in(sign_in(client))
    assert list(FailedSignIns.objects.order_by("digest").values()) == before
    clock.go(seconds=15)
    assert got_in(sign_in(client))


def test_one_account_guessed_from_many_addresses_slows_down_all_the_same(ada, client, clock):
    for n in range(FREE):
        sign_in(client, password="wrong", address=f"192.0.2.{n}")
    assert not got_in(sign_in(Client(), address="198.51.100.7"))


def test_many_accounts_guessed_from_one_address_slow_down_all_the_same(ada, client, clock):
    for n in range(FREE):
        sign_in(client, name=f"nobody{n}", password="wrong")
    assert not got_in(sign_in(client))
    assert got_in(sign_in(Client(), address="198.51.100.7"))


def test_the_answer_is_the_same_whether_there_is_such_an_account_or_not(ada, client, clock):
    User.objects.create_user("shopper", password=PASSWORD)
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    told = set()
    for name, password in (("ada", "wrong"), ("nobody", "wrong"), ("shopper", PASSWORD), ("gone", PASSWORD)):
        page = sign_in(client, name=name, password=password, address=f"192.0.2.{len(told) + 10}").content.decode()
        told.add(REFUSED in page and "inactive" not in page)
    for n in range(9):
        sign_in(client, name="nobody", password="wrong", address=f"203.0.113.{n}")
        sign_in(client, name="ada", password="wrong", address=f"203.0.113.{100 + n}")
    told.add(REFUSED in sign_in(client, name="nobody", address="198.51.100.1").content.decode())
    told.add(REFUSED in sign_in(client, address="198.51.100.2").content.decode())
    assert told == {True}


def test_a_browser_that_signed_in_before_is_not_kept_out_by_others(ada, client, clock):
    assert got_in(sign_in(client))
    client.post("/admin/logout/")
    for n in range(40):
        sign_in(Client(), password="wrong", address=f"192.0.2.{n}")
        clock.go(seconds=5)
    assert not got_in(sign_in(Client(), address="192.0.2.200"))
    assert got_in(sign_in(client))


def test_a_known_browser_that_guesses_is_slowed_down_by_itself(ada, client, clock):
    sign_in(client)
    client.post("/admin/logout/")
    for _ in range(FREE):
        assert not got_in(sign_in(client, password="wrong"))
    assert not got_in(sign_in(client))
    clock.go(seconds=15)
    assert got_in(sign_in(client))


def test_the_cookie_of_a_browser_helps_with_no_other_account_and_cannot_be_forged(ada, client, clock):
    User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    sign_in(client, name="bob")
    client.post("/admin/logout/")
    assert "bob" not in client.cookies["reco_staff_browser"].value
    assert client.cookies["reco_staff_browser"]["httponly"]
    for n in range(FREE):
        sign_in(Client(), password="wrong", address=f"192.0.2.{n}")
    assert not got_in(sign_in(client, address="198.51.100.7"))
    client.cookies["reco_staff_browser"] = "forged:1:x"
    assert not got_in(sign_in(client, address="198.51.100.8"))


def test_an_owner_elsewhere_gets_in_after_a_quarter_of_an_hour_while_others_go_on(ada, clock):
    began = clock.now
    for n in range(400):
        sign_in(Client(), password="wrong", address=f"192.0.2.{n % 20}")
        clock.go(seconds=3)
        if clock.now - began > LONGEST + dt.timedelta(minutes=1):
            break
    assert got_in(sign_in(Client(), address="198.51.100.7"))


def test_success_clears_the_account_but_not_what_the_address_failed_at(ada, client, clock):
    User.objects.create_user("mallory", password=PASSWORD, is_staff=True)
    for _ in range(FREE - 1):
        sign_in(Client(), password="wrong")
        assert got_in(sign_in(Client(), name="mallory"))
    sign_in(Client(), password="wrong")
    assert not got_in(sign_in(Client(), name="mallory"))


def test_failures_are_forgotten_after_an_hour_and_swept(ada, client, clock):
    for _ in range(FREE):
        sign_in(client, password="wrong")
    clock.go(hours=1)
    for _ in range(FREE - 1):
        sign_in(client, password="wrong")
    assert got_in(sign_in(client))
    assert trim(now=clock.now + dt.timedelta(minutes=59))["failed sign-ins"] == 0
    assert trim(now=clock.now + dt.timedelta(minutes=61))["failed sign-ins"] >= 1


def test_the_failures_that_slow_down_are_in_the_record_without_what_was_typed(ada, client, clock):
    for _ in range(FREE - 1):
        sign_in(client, password="wrong-secret")
    assert not StaffAction.objects.exists()
    sign_in(client, password="wrong-secret")
    row = StaffAction.objects.get()
    assert (row.what, row.staff, row.who, row.model, row.object_id) == (
        "sign_in_failed", None, "", "auth.user", str(ada.pk),
    )  # fmt: skip
    assert row.changes == {"failures": [4, 5]}
    for n in range(FREE):
        sign_in(client, name="typed-password", password="x", address=f"192.0.2.{50 + n}")
    assert "typed-password" not in str(list(StaffAction.objects.values()) + list(FailedSignIns.objects.values()))
    assert StaffAction.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_attempts_of_many_processes_at_once_get_no_more_tries():
    def attempt(_n):
        try:
            return begin_attempt(account="ada", address="192.0.2.1/32") is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(attempt, range(30)))
    assert sum(tried) == FREE


def test_a_count_that_goes_just_before_it_is_locked_is_begun_anew(db, monkeypatch):
    """Whoever comes in takes their count away; another one may have found it there, and not made one."""
    counts = FailedSignIns.objects
    begin_attempt(account="ada", address="192.0.2.1/32")
    made, rounds = counts.bulk_create, []

    def make(*rows, **how):
        found = made(*rows, **how)
        if not rounds:
            counts.all().delete()
        rounds.append(len(rows))
        return found

    monkeypatch.setattr(counts, "bulk_create", make)
    attempt = begin_attempt(account="ada", address="192.0.2.1/32")
    assert attempt is not None
    assert attempt.failures == 1
    assert len(rounds) == 2


@pytest.mark.parametrize("weak", ["password", "12345678", "ada"])
def test_weak_passwords_are_refused_where_staff_set_one(ada, client, weak):
    client.force_login(ada)
    form = {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    assert client.post("/admin/password_change/", form).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    client.force_login(User.objects.create_superuser("boss"))
    form = {"username": "new", "password1": weak, "password2": weak, "usable_password": "true"}
    assert client.post("/admin/auth/user/add/", form).status_code == 200
    assert not User.objects.filter(username="new").exists()
