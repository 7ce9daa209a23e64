"""Take events from a Kafka topic, until told to stop."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.conf import reco_settings
from shop_reco.events.kafka import BATCH, Follower, NoClientError, Topic
from shop_reco.events.streams import Stream, Taken
from shop_reco.users.models import Consent

MOST = 10_000


class Command(BaseCommand):
    help = "Take events from a Kafka topic, each stored once, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        reco = reco_settings()
        parser.add_argument("--brokers", default=reco.KAFKA_BROKERS, help="addresses with their ports, by commas")
        parser.add_argument("--topic", default=reco.KAFKA_TOPIC)
        parser.add_argument("--group", default=reco.KAFKA_GROUP, help="consumers of one group share the partitions")
        parser.add_argument(
            "--source", default=reco.KAFKA_SOURCE, help="what the stream is called: ids are unique within it"
        )
        parser.add_argument(
            "--consent", default=",".join(reco.KAFKA_CONSENT), metavar="PURPOSE,...",
            help="what the shoppers in it consented to elsewhere; it is recorded with the source",
        )  # fmt: skip
        parser.add_argument(
            "--from", dest="start", choices=["earliest", "latest"], default="earliest",
            help="where partitions begin that were never read",
        )  # fmt: skip
        parser.add_argument("--batch", type=int, default=BATCH, help="messages of one transaction, at most")
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="of Kafka's client itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        taken = Taken()
        follower = Follower(self._topic(options), taken.add)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: follower.stop())
        self.stdout.write(f"taking events from {options['topic']}; stop with Ctrl-C")
        try:
            follower.run()
        except NoClientError as error:
            raise CommandError(str(error)) from error
        rejected = ", ".join(f"{code} {n}" for code, n in sorted(taken.rejected.items()))
        counts = f"{taken.new} new, {taken.duplicates} stored before, {taken.rejected.total()} rejected"
        self.stdout.write(f"stopped: {counts}{f' ({rejected})' if rejected else ''}")

    def _topic(self, options: dict[str, Any]) -> Topic:
        for name in ("brokers", "topic"):
            if not options[name]:
                raise CommandError(f"give --{name}, or SHOP_RECO['KAFKA_{name.upper()}'] in the settings")
        if not 0 < len(options["source"]) <= 40:
            raise CommandError("--source must be 1 to 40 characters")
        if not 0 < options["batch"] <= MOST:
            raise CommandError(f"--batch must lie between 1 and {MOST}")
        purposes = tuple(each.strip() for each in options["consent"].split(",") if each.strip())
        unknown = sorted(set(purposes) - set(Consent.Purpose.values))
        if unknown:
            raise CommandError(f"no purpose is called {unknown[0]}; known: {', '.join(Consent.Purpose.values)}")
        given = dict(reco_settings().KAFKA_OPTIONS)
        for each in options["option"]:
            name, equals, value = each.partition("=")
            if not (name and equals):
                raise CommandError(f"--option wants NAME=VALUE, not {each!r}")
            given[name] = value
        return Topic(
            brokers=options["brokers"],
            stream=Stream(source=options["source"], topic=options["topic"], purposes=purposes),
            group=options["group"],
            latest=options["start"] == "latest",
            batch=options["batch"],
            options=given,
        )
