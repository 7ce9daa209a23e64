"""A consumer of a stream that is killed anywhere loses nothing and stores nothing twice."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
import uuid

import pytest
from django.utils import timezone

from .live_shop import kill, wait_for

pytest.importorskip("confluent_kafka", reason='Kafka DID NOT RUN: pip install "shop-reco[kafka]"')
pytestmark = pytest.mark.faults

N, KILLS, PARTITIONS = 4000, 4, 4


@pytest.fixture
def cluster():
    """A producer whose mock cluster lives in this process; with its address."""
    from confluent_kafka import Producer

    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    brokers = producer.list_topics(timeout=10).brokers.values()
    producer.list_topics("events", timeout=10)  # makes it
    return producer, ",".join(f"{each.host}:{each.port}" for each in brokers)


def fill(producer, n=N):
    """Send events with an id and without, repeated and broken ones; returns orders to be stored, and the counts."""
    chance, at, orders, counts = random.Random(5), timezone.now().isoformat(), set(), {"new": 0, "again": 0, "bad": 0}
    sent: list[dict[str, object]] = []
    for k in range(n):
        if k % 50 == 7:
            value, counts["bad"] = "{" if k % 100 == 7 else json.dumps({"shopper": "h1"}), counts["bad"] + 1
        elif k % 50 == 9 and sent:
            value, counts["again"] = json.dumps(chance.choice(sent)), counts["again"] + 1
        else:
            event = {
                "shopper": f"h{k % 150}",
                "type": "purchase",
                "sku": f"p{k % 200}",
                "occurredAt": at,
                "order": f"k{k}",
            }
            if k % 2:
                event["id"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
                sent.append(event)
            orders.add(f"k{k}")
            value, counts["new"] = json.dumps(event), counts["new"] + 1
        producer.produce("events", value.encode(), partition=k % PARTITIONS)
        producer.poll(0)
    assert producer.flush(30) == 0
    return orders, counts


def consumer(live, brokers, **more):
    options = ["--option", "session.timeout.ms=6000", "--batch", "50"]
    return live.start("django", "consume_events", "--brokers", brokers, "--topic", "events", *options, **more)


def read(live):
    ((n,),) = live.rows("select coalesce(sum(next_offset), 0) from reco_events_streamposition")
    return int(n)


def stored(live):
    """The orders of the stream's events, each as often as it is stored."""
    return sorted(name for (name,) in live.rows('select "order" from reco_events_event where "order" like \'k%\''))


def sums(live):
    ((new, again, bad),) = live.rows("select sum(new), sum(duplicates), sum(rejected) from reco_events_streamposition")
    return {"new": int(new), "again": int(again), "bad": int(bad)}


def test_killed_at_any_moment_it_stores_each_event_once(live, cluster):
    producer, brokers = cluster
    orders, counts = fill(producer)
    chance = random.Random(time.time_ns())
    for _ in range(KILLS):
        before, process = read(live), consumer(live, brokers)
        wait_for(lambda before=before: read(live) > before, "the first batch", seconds=60)
        time.sleep(chance.uniform(0, 0.4))
        kill(process, signal.SIGKILL)
    assert read(live) < N  # the control: it was killed half way
    process = consumer(live, brokers)
    wait_for(lambda: read(live) == N, "the rest", seconds=120)
    assert stored(live) == sorted(orders)
    assert sums(live) == counts
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


def test_two_share_the_partitions_and_when_one_is_killed_the_other_goes_on(live, cluster):
    producer, brokers = cluster
    both = [consumer(live, brokers) for _ in range(2)]
    orders, counts = fill(producer, 2000)
    wait_for(lambda: read(live) > 100, "the first batches", seconds=60)
    kill(both[0], signal.SIGKILL)
    wait_for(lambda: read(live) == 2000, "the rest", seconds=120)
    assert stored(live) == sorted(orders)
    assert sums(live) == counts


def test_a_database_that_is_locked_is_waited_for(live, cluster):
    producer, brokers = cluster
    consumer(live, brokers)
    orders, _ = fill(producer, 200)
    wait_for(lambda: read(live) == 200, "the first messages", seconds=60)
    holder = sqlite3.connect(live.folder / "db.sqlite3", isolation_level=None, timeout=10)
    holder.execute("BEGIN IMMEDIATE")
    producer.produce(
        "events",
        json.dumps(
            {"shopper": "h1", "type": "view", "sku": "p1", "occurredAt": timezone.now().isoformat(), "order": "k-late"}
        ).encode(),
    )
    producer.flush(10)
    time.sleep(8)
    assert read(live) == 200
    holder.execute("COMMIT")
    wait_for(lambda: read(live) == 201, "the message that waited", seconds=90)
    assert stored(live) == sorted([*orders, "k-late"])
