"""Events that come again, in another order, late, or out of the future: what is known of shoppers stays the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import time
import uuid
from pathlib import Path
from typing import Any

from tests.faults.live_shop import Hand, LiveShop, free_port

from ..ingest_clients import Client, event
from .clock import settable
from .stage import KINDS

DAY, RETENTION = 86_400, 400
SHOPPERS, SENT = 60, 1500
GROUP, EACH = 5, 60
"""Shoppers who do the same in each shuffle, and the events of theirs."""
SHUFFLES = 20
LATE = 30
"""Days by which the oldest event of a shuffle is late."""
Events = list[dict[str, Any]]


def sent_again(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Everything sent a second time at once, a day and 400 days later: the same portraits, the same bytes of models."""
    offset, faked = settable(folder)
    shop = LiveShop(folder, server=server, FAULTS_EVENTS_EACH="0", FAULTS_SHOPPERS=str(SHOPPERS), **faked)
    try:
        chance, hand, port = random.Random(seed), shop.hand(), free_port()
        sent = [event(chance, SHOPPERS) for _ in range(min(events, SENT))]
        shop.serve(port)
        client, moment = Client(port, shop.key), time.time()
        assert send(client, sent) == (len(sent), 0, 0)
        known = portraits(shop, hand)
        models(hand, moment)  # the second one starts from the settings that this one found
        first = models(hand, moment)
        assert models(hand, moment) == first, "the same training twice gave other bytes: nothing could be told by them"
        for off in (0, DAY):
            offset.write_text(str(off))
            assert send(client, sent) == (0, len(sent), 0), f"sent again {off} s later"
        offset.write_text("0")
        assert portraits(shop, hand) == known, "portraits changed with what came again"
        assert models(hand, moment) == first, "models changed with what came again"
        known = control(shop, hand, client, sent, known, first, moment)
        offset.write_text(str((RETENTION + 2) * DAY))
        assert send(client, sent) == (0, 0, len(sent)), "400 days later"
        folded = hand.do("fold_events()")
        assert folded == len(sent), f"{folded} of {len(sent)} events were folded"
        assert send(client, sent) == (0, 0, len(sent)), "400 days later, once they are folded"
        assert portraits(shop, hand) == known, "portraits changed with what came again after 400 days"
        offset.write_text("0")
        return {
            "sent": len(sent),
            "times": 5,
            "stored": len(sent),
            "folded": folded,
            "models": first,
            "control": "fires",
        }
    finally:
        shop.end()


def control(
    shop: LiveShop, hand: Hand, client: Client, sent: Events, known: str, first: dict[str, str], moment: float
) -> str:
    """An event that comes again under another id is another one, and both probes see it; the portraits from then on."""
    other = "p1" if sent[0]["sku"] == "p0" else "p0"  # of a twin no model would learn: near duplicates are cleaned away
    sent.append({**sent[0], "id": str(uuid.uuid4()), "type": "PURCHASE", "sku": other})
    assert send(client, sent[-1:]) == (1, 0, 0)
    now = portraits(shop, hand)
    assert now != known, "the probe does not see that a portrait changed"
    assert models(hand, moment) != first, "the probe does not see that a model changed"
    return now


def send(client: Client, events: Events, size: int = 100) -> tuple[int, int, int]:
    """How many were accepted, duplicates and refused."""
    client.connection.close()  # one that is kept alive ends after a while
    answers = [client.send(events[start : start + size]) for start in range(0, len(events), size)]
    accepted, duplicates = (sum(answer[name] for answer in answers) for name in ("accepted", "duplicates"))
    return accepted, duplicates, sum(len(answer["rejected"]) for answer in answers)


def portraits(shop: LiveShop, hand: Hand) -> str:
    """A hash of all that the portraits count, drawn anew."""
    hand.do("redraw()")
    return hashed(drawn(shop))


def drawn(shop: LiveShop) -> list[tuple[int, str, int]]:
    """Of each portrait: the number of the shopper, what it counts, and of how many events."""
    rows = shop.rows(
        "select s.external_id, cast(t.counts as text), t.n_events from reco_portraits_portrait t "
        "join reco_users_shopper s on s.id = t.shopper_id"
    )
    return sorted((int(name[1:]), counts, n) for name, counts, n in rows)


def hashed(rows: list[Any]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def models(hand: Hand, moment: float) -> dict[str, str]:
    return {kind: hand.do(f"fitted({kind!r}, {moment!r})") for kind in KINDS}


def shuffled(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """The same events of as many groups of shoppers as there are shuffles; then clocks that run ahead."""
    shuffles = min(SHUFFLES, max(2, rounds))
    folder.mkdir(parents=True, exist_ok=True)
    people = str(GROUP * (shuffles + 1))
    shop = LiveShop(folder, server=server, FAULTS_EVENTS_EACH="0", FAULTS_SHOPPERS=people)
    try:
        chance, hand, port = random.Random(seed), shop.hand(), free_port()
        shop.serve(port)
        client = Client(port, shop.key)
        done = [late(event(chance, GROUP), chance) for _ in range(EACH)]
        for shuffle in range(shuffles):
            assert send(client, of_group(done, shuffle, chance), chance.choice((1, 7, 20))) == (EACH, 0, 0)
        assert send(client, of_group(done, shuffles, chance)[1:]) == (EACH - 1, 0, 0)
        hand.do("redraw()")
        *found, other = by_group(shop)
        assert len(found) == shuffles
        assert len(set(found)) == 1, f"{len(set(found))} portraits of the same events in {shuffles} orders"
        assert other != found[0], "the probe does not see that an event is missing"
        return {"shuffles": shuffles, "events_each": EACH, "late_days": LATE, **ahead(shop, client), "control": "fires"}
    finally:
        shop.end()


def late(said: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    happened = dt.datetime.now(dt.UTC) - dt.timedelta(days=chance.random() * LATE)
    return {**said, "occurredAt": happened.isoformat()}


def of_group(done: Events, group: int, chance: random.Random) -> Events:
    """The same, done by a group of shoppers of its own, under ids of its own, in an order of its own."""
    own = [
        {**each, "id": str(uuid.uuid4()), "shopper": f"h{GROUP * group + int(each['shopper'][1:])}"} for each in done
    ]
    chance.shuffle(own)
    return own


def by_group(shop: LiveShop) -> list[str]:
    groups: dict[int, list[Any]] = {}
    for number, counts, n in drawn(shop):
        groups.setdefault(number // GROUP, []).append((number % GROUP, counts, n))
    return [hashed(groups[group]) for group in sorted(groups)]


def ahead(shop: LiveShop, client: Client) -> dict[str, str]:
    """An hour ahead: dated by the server, and flagged. Ten years: refused, and kept with why."""
    found = {}
    for name, by in {"an hour": dt.timedelta(hours=1), "ten years": dt.timedelta(days=3650)}.items():
        said = {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "shopper": "h0", "sku": "p1"}
        answer = client.send([{**said, "occurredAt": (dt.datetime.now(dt.UTC) + by).isoformat()}])
        found[name] = answer["rejected"][0]["code"] if answer["rejected"] else "stored"
    assert found == {"an hour": "stored", "ten years": "IN_FUTURE"}, found
    flagged = "select count(*) from reco_events_event where clock_skewed and occurred_at = received_at"
    kept = "select count(*) from reco_events_rejectedevent where code = 'IN_FUTURE'"
    assert (shop.rows(flagged), shop.rows(kept)) == ([(1,)], [(1,)]), (shop.rows(flagged), shop.rows(kept))
    return {"ahead_an_hour": "dated by the server, flagged", "ahead_ten_years": "refused, kept with why"}
