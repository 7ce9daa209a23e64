"""What a sender may spend: at once, over time, and in several processes together."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.utils import timezone

from shop_reco.users import allowances as module
from shop_reco.users.allowances import Allowances, forget_allowances, spend
from shop_reco.users.models import Allowance

LIMIT = {"size": 100.0, "refill": 10.0}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """One clock for the processes and the database."""
    steady, start = Clock(), timezone.now()
    monkeypatch.setattr(module.timezone, "now", lambda: start + dt.timedelta(seconds=steady.now))
    return steady


@pytest.fixture
def process(db, clock):
    """Makes the buckets of one more process, which tells the others at once."""
    return lambda: Allowances(clock, tell=Allowances.tell)


def test_what_is_there_may_be_spent_and_comes_back_with_time(process, clock):
    one = process()
    assert one.take("me", 100, **LIMIT) == 0
    assert one.take("me", 5, **LIMIT) == pytest.approx(0.5)
    clock.now = 0.5
    assert one.take("me", 5, **LIMIT) == 0
    clock.now = 1000
    assert one.take("me", 100, **LIMIT) == 0
    assert one.take("me", 1, **LIMIT) > 0


def test_a_refusal_costs_nothing(process, clock):
    one = process()
    one.take("me", 95, **LIMIT)
    for _ in range(50):
        assert one.take("me", 10, **LIMIT) == pytest.approx(0.5)
    assert one.left("me") == 5


def test_how_long_a_sender_has_to_wait_is_told_and_costs_nothing(process, clock):
    one = process()
    assert one.wait("a stranger", 100) == 0
    one.take("me", 95, **LIMIT)
    assert [one.wait("me", points) for points in (5, 10, 1_000_000)] == [0, 0.5, 9.5]
    clock.now = 0.5
    assert one.wait("me", 10) == 0
    assert one.left("me") == 10


def test_what_costs_more_than_all_there_can_be_takes_all(process):
    assert process().take("me", 1_000_000, **LIMIT) == 0


def test_senders_do_not_share(process):
    one = process()
    one.take("me", 100, **LIMIT)
    assert one.take("you", 100, **LIMIT) == 0


@pytest.mark.parametrize("size", [1, 7])
def test_two_processes_together_give_at_most_five_per_cent_more(process, size):
    both = [process(), process()]
    given = 0
    for place in range(400):
        given += size * (both[place % 2].take("me", size, **LIMIT) == 0)
    assert given + size >= 100
    assert given <= 105


def test_a_new_process_knows_what_was_spent(process):
    process().take("me", 90, **LIMIT)
    late = process()
    late.take("me", 5, **LIMIT)
    assert late.left("me") == pytest.approx(5)


def test_a_shopper_who_takes_their_time_is_never_told_to_the_database(process, clock, django_assert_num_queries):
    one = process()
    with django_assert_num_queries(0):
        for _ in range(100):
            assert one.take("me", 1, **LIMIT) == 0
            clock.now += 2


def test_a_database_that_cannot_write_leaves_each_process_with_its_own(process, monkeypatch):
    def broken(**given):
        raise module.DatabaseError

    told = []

    def tell(mine):
        with pytest.raises(module.DatabaseError):
            mine.tell()
        told.append(mine)

    one = Allowances(Clock(), tell=tell)
    monkeypatch.setattr(module, "spend", broken)
    assert [one.take("me", 50, **LIMIT) > 0 for _ in range(3)] == [False, False, True]
    assert len(told) == 2


def test_what_stands_in_the_database_names_nobody_and_goes_once_it_is_back(db, clock):
    spend(spent={"address:203.0.113.7/32": (30.0, 100.0, 10.0)})
    row = Allowance.objects.get()
    assert "203" not in row.digest
    assert row.points == 70
    assert forget_allowances(older=dt.timedelta(seconds=60)) == 0
    clock.now = 61
    assert forget_allowances(older=dt.timedelta(seconds=60)) == 1
    assert not Allowance.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_others_are_told_by_a_thread_before_and_after_a_quiet_time(monkeypatch):
    monkeypatch.setattr(module, "QUIET", 0.05)
    one = Allowances()
    for times in (1, 2):
        assert one.take("me", 40, size=100.0, refill=0.001) == 0
        until = time.monotonic() + 20
        while time.monotonic() < until and [round(row.points) for row in Allowance.objects.all()] != [100 - 40 * times]:
            time.sleep(0.01)
        assert [round(row.points) for row in Allowance.objects.all()] == [100 - 40 * times]
        time.sleep(0.2)


def test_a_process_forgets_whoever_asked_for_nothing_for_longest(process, monkeypatch):
    monkeypatch.setattr(module, "MOST_SENDERS", 2)
    one = process()
    for name in ("first", "second", "third"):
        one.take(name, 1, **LIMIT)
    assert [one.left(name) is None for name in ("first", "second", "third")] == [True, False, False]
