"""A Kafka topic is followed from where the database says, through outages; on the client's own mock cluster."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from shop_reco.events import kafka, streams
from shop_reco.events.kafka import Follower, Topic
from shop_reco.events.models import Event, StreamPosition
from shop_reco.events.streams import Stream, positions

pytest.importorskip("confluent_kafka", reason='Kafka DID NOT RUN: pip install "shop-reco[kafka]"')
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

STREAM = Stream(source="kafka", topic="events")


@pytest.fixture
def cluster():
    """A producer whose mock cluster lives as long as it does; with ``brokers``."""
    from confluent_kafka import Producer

    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    told = producer.list_topics(timeout=10).brokers.values()
    producer.list_topics("events", timeout=10)  # makes it
    yield producer, ",".join(f"{each.host}:{each.port}" for each in told)
    producer.flush(5)


@pytest.fixture
def produce(cluster, shop):
    producer, _brokers = cluster

    def sent(n, *, partition=0, **fields):
        for k in range(n):
            event = {"shopper": f"h{k % 30}", "type": "view", "sku": "Tea-1", "occurredAt": shop.now.isoformat()}
            producer.produce("events", json.dumps({**event, **fields}).encode(), partition=partition)
        assert producer.flush(10) == 0

    return sent


@pytest.fixture
def follow(cluster):
    """Follows the topic until so many messages were taken."""

    def followed(n, **more):
        taken = streams.Taken()

        def told(batch):
            taken.add(batch)
            if taken.new + taken.duplicates + taken.rejected.total() >= n:
                follower.stop()

        options = {"session.timeout.ms": 6000, "log_level": 0}
        follower = Follower(Topic(brokers=cluster[1], stream=STREAM, options=options, **more), told)
        follower.run()
        return taken

    return followed


def views():
    return Event.objects.filter(type="view_item").count()


def test_what_lies_in_the_partitions_is_stored_once_and_gone_on_from(produce, follow):
    for partition in range(4):
        produce(5, partition=partition)
    assert follow(20, batch=7).new == 20
    produce(3)
    assert follow(3).new == 3
    assert views() == 23
    assert positions(stream=STREAM) == {0: 8, 1: 5, 2: 5, 3: 5}


def test_the_place_in_the_database_counts_not_that_of_kafka(produce, follow):
    produce(4)
    assert follow(4).new == 4
    StreamPosition.objects.filter(partition=0).update(next_offset=2)
    assert follow(2).duplicates == 2


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(produce, follow, monkeypatch):
    monkeypatch.setattr(kafka, "FIRST_PAUSE", 0.1)
    take, calls = streams.take, []

    def failing(**named):
        calls.append(1)
        if len(calls) <= 2:
            raise OperationalError("server closed the connection")
        return take(**named)

    monkeypatch.setattr(streams, "take", failing)
    produce(6)
    assert follow(6).new == 6
    assert len(calls) >= 3
    assert views() == 6


def test_a_topic_whose_place_is_gone_is_read_from_its_beginning(produce, follow):
    produce(3)
    StreamPosition.objects.create(
        source="kafka", topic="events", partition=0, next_offset=99, seen_at=dt.datetime.now(dt.UTC)
    )
    assert follow(3).new == 3
    assert positions(stream=STREAM)[0] == 3


def test_a_new_consumer_may_begin_with_what_comes_from_now_on(cluster, produce, follow):
    produce(3)
    streams.begin(stream=STREAM, starts={1: 0, 2: 0, 3: 0})
    produce(2, partition=1)
    assert follow(2, latest=True).new == 2
    assert positions(stream=STREAM)[0] == 3


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"topic": "events"}, "give --brokers"),
        ({"brokers": "127.0.0.1:1"}, "give --topic"),
        ({"brokers": "127.0.0.1:1", "topic": "events", "consent": "marketing"}, "no purpose is called marketing"),
        ({"brokers": "127.0.0.1:1", "topic": "events", "batch": 0}, "--batch must lie"),
        ({"brokers": "127.0.0.1:1", "topic": "events", "option": ["x"]}, "--option wants NAME=VALUE"),
        ({"brokers": "127.0.0.1:1", "topic": "events", "source": "x" * 41}, "--source must be"),
    ],
)
def test_the_command_says_what_it_lacks(given, why):
    with pytest.raises(CommandError, match=why):
        call_command("consume_events", **given)
