"""Buckets that processes share through Redis; without it each has its own, and nobody waits."""

from __future__ import annotations

import threading
import time

import pytest
import redis
import structlog

from shop_reco.users.allowances import Allowances, spend_shared
from shop_reco.users.errors import StoreAwayError
from shop_reco.users.models import Allowance
from shop_reco.users.redis_allowances import spend
from tests.redis_server import RedisServer

LIMIT = {"size": 100.0, "refill": 1.0}


@pytest.fixture(scope="module")
def server():
    started = RedisServer()
    yield started
    started.stop()


@pytest.fixture
def shared(server, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_REDIS": server.url}
    redis.Redis.from_url(server.url).flushall()
    return server


def test_processes_share_what_was_spent_and_the_database_hears_nothing(shared, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        one, other = (Allowances(tell=Allowances.tell) for _ in range(2))
        one.take("me", 90, **LIMIT)
        other.take("me", 5, **LIMIT)
        assert other.left("me") == pytest.approx(5, abs=1)
    assert not Allowance.objects.exists()


@pytest.mark.parametrize("size", [1, 7])
def test_two_processes_together_give_at_most_five_per_cent_more(shared, size):
    both = [Allowances(lambda: 0.0, tell=Allowances.tell) for _ in range(2)]
    slow = {"size": 100.0, "refill": 0.001}
    given = 0
    for place in range(400):
        given += size * (both[place % 2].take("me", size, **slow) == 0)
    assert given + size >= 100
    assert given <= 105


def test_many_at_once_lose_no_point(shared):
    def work():
        for _ in range(50):
            spend(url=shared.url, spent={"me": (1.0, 10_000.0, 0.0001)})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert spend(url=shared.url, spent={"me": (0.0, 10_000.0, 0.0001)})["me"] == pytest.approx(9600, abs=0.1)


def test_points_come_back_with_time_and_a_debt_is_no_more_than_a_bucket(shared):
    assert spend_shared(spent={"me": (500.0, 100.0, 50.0)}) == {"me": -100.0}
    time.sleep(1)
    assert spend_shared(spent={"me": (0.0, 100.0, 50.0)})["me"] == pytest.approx(-50, abs=15)


def test_what_stands_in_redis_names_nobody_and_goes_once_it_is_back(shared):
    spend(url=shared.url, spent={"address:203.0.113.7/32": (30.0, 100.0, 10.0)})
    (key,) = redis.Redis.from_url(shared.url).keys()
    assert b"203" not in key
    assert 0 < redis.Redis.from_url(shared.url).pttl(key) <= 21_000


def test_without_redis_each_process_has_its_own_and_says_so_once(shared):
    shared.stop()
    try:
        with pytest.raises(StoreAwayError):
            spend(url=shared.url, spent={"me": (1.0, 100.0, 1.0)})
        with structlog.testing.capture_logs() as lines:
            one = Allowances()
            began = time.monotonic()
            assert [one.take("me", 5, size=100.0, refill=0.01) > 0 for _ in range(30)] == [False] * 20 + [True] * 10
            assert time.monotonic() - began < 3  # nobody waited for it
            time.sleep(1)
            one.take("you", 50, **LIMIT)
            time.sleep(1)
        assert [line["event"] for line in lines if "allowances" in line["event"]] == ["allowances_not_told"]
    finally:
        shared.start()


def test_a_redis_that_hangs_is_given_up_soon(shared):
    began = time.monotonic()
    with shared.frozen(), pytest.raises(StoreAwayError):
        spend(url=shared.url, spent={"me": (1.0, 100.0, 1.0)})
    assert time.monotonic() - began < 5


def test_a_flush_gives_everybody_a_full_bucket_and_breaks_nothing(shared):
    one = Allowances(tell=Allowances.tell)
    one.take("me", 60, **LIMIT)
    redis.Redis.from_url(shared.url).flushall()
    late = Allowances(tell=Allowances.tell)
    assert late.take("me", 60, **LIMIT) == 0
    assert one.take("me", 60, **LIMIT) > 0  # what it gave itself it knows
