"""A Kafka topic as a stream of events; the one file that knows Kafka's client.

The offsets of the database count. Whatever goes wrong ends the client; a new one goes on from what is noted there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from django.db import DatabaseError, InterfaceError, connection

from shop_reco.database_errors import cannot_serve, lost_a_race

from . import streams
from .errors import StreamMovedError
from .streams import Message, Stream, Taken

if TYPE_CHECKING:
    from confluent_kafka import Consumer, TopicPartition

logger = structlog.get_logger(__name__)
LINGER = 0.5
"""Seconds in which a batch gathers; one that is full does not wait."""
LOOK = 10.0
"""Seconds between two notes of how far a silent topic is read."""
PATIENCE = 10.0
"""Seconds in which a broker must say where a partition begins and ends."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds until it is tried again where the database or Kafka is away; each pause is twice the one before."""
BATCH = 500


class NoClientError(RuntimeError):
    """confluent-kafka is not installed."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What is followed, and how.

    Attributes:
        brokers: Addresses with their ports, by commas.
        group: Consumers of one group share the partitions.
        latest: Whether partitions that were never read begin with what comes from now on.
        batch: Messages that are stored in one transaction, at most.
        options: Of the client itself, as for signing in; what reading exactly once needs stays as it is.
    """

    brokers: str
    stream: Stream
    group: str = "shop-reco"
    latest: bool = False
    batch: int = BATCH
    options: Mapping[str, Any] = field(default_factory=dict)

    def configuration(self) -> dict[str, Any]:
        return {
            "queued.max.messages.kbytes": 16_384,
            "fetch.message.max.bytes": 4_194_304,
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 3_000,
            "socket.keepalive.enable": True,
            **self.options,
            "bootstrap.servers": self.brokers,
            "group.id": self.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "partition.assignment.strategy": "range,roundrobin",
        }


class Follower:
    """Takes events from a topic until it is stopped.

    Args:
        topic: Which one.
        told: Hears what became of each batch.
    """

    def __init__(self, topic: Topic, told: Callable[[Taken], None] | None = None) -> None:
        self.topic, self.stream = topic, topic.stream
        self.told = told or (lambda taken: None)
        self.stopping = threading.Event()
        self._at: dict[int, int] = {}
        """Where each partition of ours is to be read from, as is noted in the database."""
        self._pause = FIRST_PAUSE

    def stop(self) -> None:
        """Have it end once the batch in hand is stored; may be called from a signal's handler."""
        self.stopping.set()

    def run(self) -> None:
        """Follow the topic, through outages of the database and of Kafka.

        Raises:
            NoClientError: If the client is not installed.
            KafkaException: If the client's settings are wrong.
        """
        try:
            from confluent_kafka import KafkaException
        except ImportError as error:
            raise NoClientError('this needs confluent-kafka: pip install "shop-reco[kafka]"') from error
        while not self.stopping.is_set():
            consumer = self._consumer()
            try:
                self._follow(consumer)
            except StreamMovedError as error:
                logger.info("stream_moved", why=str(error))
                self._wait()
            except (DatabaseError, InterfaceError) as error:
                if not (cannot_serve(error) or lost_a_race(error)):
                    raise
                logger.warning("stream_waits", why="database", error=type(error).__name__, seconds=self._pause)
                connection.close()
                self._wait()
            except KafkaException as error:
                logger.warning("stream_waits", why="Kafka", error=_name_of(error), seconds=self._pause)
                self._wait()
            finally:
                self._at = {}
                consumer.close()

    def _consumer(self) -> Consumer:
        from confluent_kafka import Consumer

        return Consumer(self.topic.configuration())

    def _wait(self) -> None:
        self.stopping.wait(self._pause)
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)

    def _follow(self, consumer: Consumer) -> None:
        consumer.subscribe(
            [self.stream.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )
        looked = time.monotonic()
        while not self.stopping.is_set():
            messages = self._heard(consumer.consume(self.topic.batch, LINGER))
            if messages:
                self._take(consumer, messages)
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                streams.look(stream=self.stream, ends=self._ends(consumer))
                connection.close_if_unusable_or_obsolete()

    def _heard(self, found: Sequence[Any]) -> list[Message]:
        """The messages of partitions that are ours still, and that are not noted yet."""
        from confluent_kafka import KafkaException

        messages = []
        for each in found:
            if (error := each.error()) is not None:
                if error.fatal():
                    raise KafkaException(error)
                logger.warning("stream_error", error=error.name())
                continue
            partition, offset = each.partition(), each.offset()
            if offset >= self._at.get(partition, offset + 1):
                messages.append(Message(partition, offset, each.value()))
        return messages

    def _take(self, consumer: Consumer, messages: Sequence[Message]) -> None:
        begun = {each.partition: self._at[each.partition] for each in messages}
        taken = streams.take(stream=self.stream, messages=messages, begun=begun, ends=self._ends(consumer))
        self._at.update({each.partition: each.offset + 1 for each in messages})
        self._pause = FIRST_PAUSE
        self.told(taken)
        self._tell_kafka(consumer, begun)

    def _tell_kafka(self, consumer: Consumer, partitions: Mapping[int, int]) -> None:
        """For whoever watches the group with Kafka's own tools; nothing goes by it here."""
        from confluent_kafka import KafkaException, TopicPartition

        try:
            offsets = [TopicPartition(self.stream.topic, each, self._at[each]) for each in partitions]
            consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            logger.info("offsets_not_told", error=_name_of(error))

    def _ends(self, consumer: Consumer) -> dict[int, int]:
        """Where our partitions end, as the client heard last; those of which it heard nothing are left out."""
        from confluent_kafka import TopicPartition

        ends = {}
        for partition in self._at:
            told = consumer.get_watermark_offsets(TopicPartition(self.stream.topic, partition), cached=True)
            if told is not None and told[1] >= 0:
                ends[partition] = told[1]
        return ends

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        bounds = {}
        for each in partitions:
            low, high = consumer.get_watermark_offsets(each, timeout=PATIENCE)
            bounds[each.partition] = (low, high)
        starts = {partition: high if self.topic.latest else low for partition, (low, high) in bounds.items()}
        at = streams.begin(stream=self.stream, starts=starts)
        for partition, (low, high) in bounds.items():
            if not low <= at[partition] <= high:
                # Kafka has deleted what was to come next, or the topic was made anew
                logger.error("stream_broken", partition=partition, wanted=at[partition], first=low, last=high)
                streams.begin_anew(stream=self.stream, partition=partition, at=low)
                at[partition] = low
        for each in partitions:
            each.offset = at[each.partition]
        consumer.assign(partitions)
        self._at = at
        logger.info("stream_assigned", partitions=sorted(at))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._at.pop(each.partition, None)


def _name_of(error: Exception) -> str:
    inner: Any = error.args[0] if error.args else None
    return str(inner.name()) if hasattr(inner, "name") else type(error).__name__
