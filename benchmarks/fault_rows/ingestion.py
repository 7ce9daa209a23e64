"""The web process killed again and again while events come in: none is lost, none counts twice."""

from __future__ import annotations

import hashlib
import http.client
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

from tests.faults.live_shop import LiveShop, free_port, kill

from ..ingest_clients import Client, event
from ..machine import tell

CLIENTS, SHOPPERS, AGAIN = 4, 150, 0.05
Events = list[dict[str, Any]]


def kill_web(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Send events once in order; then to a new shop shuffled, in other batches, by four clients, between SIGKILLs.

    Raises:
        AssertionError: If an acknowledged event is missing, or what the two shops hold differs.
    """
    chance = random.Random(seed)
    sent = sorted((event(chance, SHOPPERS) for _ in range(events)), key=lambda each: str(each["occurredAt"]))
    clean = _shop(folder / "clean", server)
    try:
        _send_in_order(clean, sent)
        expected = _held(clean)
    finally:
        clean.end()
    struck = _shop(folder / "struck", server)
    try:
        storm = Storm(struck, sent, rounds, random.Random(seed + 1))
        storm.run()
        lost = storm.acknowledged() - _ids(struck)
        assert not lost, f"{len(lost)} acknowledged events are not stored"
        found = _held(struck)
        for name, value in expected.items():
            assert found[name] == value, f"{name}: {found[name]} after the kills, {value} without"
        integrity = _integrity(struck)
        lose_one(struck)
        assert storm.acknowledged() - _ids(struck), "the probe does not see an event that was deleted"
        return {
            "events": events, "kills": storm.kills, "lost": 0, "sent_again": storm.sent_again,
            "answered_as_duplicates": storm.duplicates, "integrity": integrity, "control": "fires", **found,
        }  # fmt: skip
    finally:
        struck.end()


def _shop(folder: Path, server: str) -> LiveShop:
    folder.mkdir(parents=True)
    return LiveShop(folder, server=server, FAULTS_EVENTS_EACH="0", FAULTS_SHOPPERS=str(SHOPPERS))


def _send_in_order(shop: LiveShop, events: Events) -> None:
    port = free_port()
    web = shop.serve(port)
    client = Client(port, shop.key)
    for start in range(0, len(events), 100):
        batch = events[start : start + 100]
        answer = client.send(batch)
        assert answer == {"accepted": len(batch), "duplicates": 0, "rejected": []}, answer
    kill(web, signal.SIGTERM)


class Storm:
    """Four clients that send every event until it is acknowledged, and a killer."""

    def __init__(self, shop: LiveShop, events: Events, rounds: int, chance: random.Random) -> None:
        self.shop, self.rounds, self.chance = shop, rounds, chance
        self.port, self.total = free_port(), len(events)
        shuffled = list(events)
        chance.shuffle(shuffled)
        self.shares = [shuffled[n::CLIENTS] for n in range(CLIENTS)]
        self.kills = self.sent_again = self.duplicates = self.done = 0
        self.guard = threading.Lock()
        self.failures: list[BaseException] = []

    def run(self) -> None:
        web = self.shop.serve(self.port)
        clients = [threading.Thread(target=self._client, args=(n,)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        moments = sorted(self.chance.random() * 0.9 * self.total for _ in range(self.rounds))
        for moment in moments:
            while self.done < moment and any(client.is_alive() for client in clients):
                time.sleep(0.001)
            time.sleep(self.chance.random() * 0.03)
            kill(web, signal.SIGKILL)
            self.kills += 1
            web = self.shop.serve(self.port)
            tell(f"  {self.kills} kills, {self.done} of {self.total} events acknowledged")
        for client in clients:
            client.join()
        kill(web, signal.SIGTERM)
        if self.failures:
            raise AssertionError(f"a client failed: {self.failures[0]!r}") from self.failures[0]

    def acknowledged(self) -> set[str]:
        names = (self._file(n) for n in range(CLIENTS))
        return {line for name in names for line in name.read_text().split()}

    def _file(self, number: int) -> Path:
        return self.shop.folder / f"acknowledged-{number}"

    def _client(self, number: int) -> None:
        try:
            self._send(number)
        except BaseException as error:  # told by run, in the thread that waits
            self.failures.append(error)

    def _send(self, number: int) -> None:
        chance, client, rest = random.Random(number), Client(self.port, self.shop.key), self.shares[number]
        with self._file(number).open("w") as acknowledged:
            while rest:
                size = chance.choice((1, 20, 77, 100, 300))
                batch, rest = rest[:size], rest[size:]
                answer = self._until_answered(client, batch)
                assert answer["accepted"] + answer["duplicates"] == len(batch), answer
                acknowledged.write("".join(f"{each['id'].replace('-', '')}\n" for each in batch))
                acknowledged.flush()
                if chance.random() < AGAIN:  # as a client does whose answer was lost on the way
                    again = self._until_answered(client, batch)
                    assert again == {"accepted": 0, "duplicates": len(batch), "rejected": []}, again
                with self.guard:
                    self.done += len(batch)
                    self.duplicates += answer["duplicates"]

    def _until_answered(self, client: Client, batch: Events) -> dict[str, Any]:
        while True:
            try:
                return client.send(batch)
            except (OSError, http.client.HTTPException):
                with self.guard:
                    self.sent_again += 1
                time.sleep(0.05)


def _ids(shop: LiveShop) -> set[str]:
    return {str(event_id).replace("-", "") for (event_id,) in shop.rows("select id from reco_events_event")}


def _held(shop: LiveShop) -> dict[str, Any]:
    """What the shop knows, once the portraits are drawn: counts, and hashes of every event and portrait."""
    code = "from shop_reco.portraits.services import refresh_dirty\nwhile refresh_dirty(): pass"
    shop.run("-c", f"import django; django.setup()\n{code}", seconds=7200)
    # The digest is of all that an event says.
    events = shop.rows("select cast(id as text), occurred_at, digest from reco_events_event order by 1")
    portraits = shop.rows(
        "select s.external_id, cast(t.counts as text), t.n_events from reco_portraits_portrait t "
        "join reco_users_shopper s on s.id = t.shopper_id order by 1"
    )
    return {
        "stored": len(events),
        "portraits": len(portraits),
        "counted_in_portraits": sum(n for _, _, n in portraits),
        "events_sha256": hashlib.sha256(repr(events).encode()).hexdigest(),
        "portraits_sha256": hashlib.sha256(repr(portraits).encode()).hexdigest(),
    }


def lose_one(shop: LiveShop) -> None:
    """The positive control: what a shop would look like that had lost an event."""
    newest = "Event.objects.order_by('-received_at', 'pk').first().delete()"
    code = f"from shop_reco.events.models import Event\n{newest}"
    shop.run("-c", f"import django; django.setup()\n{code}")


def _integrity(shop: LiveShop) -> str:
    if shop.database:
        return "not asked: PostgreSQL keeps its own"
    ((found,),) = shop.rows("pragma integrity_check")
    assert found == "ok", f"integrity_check says {found}"
    return str(found)
