"""Messages and events that nobody can digest, beside good ones."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from shop_reco.queues import MAINTENANCE
from tests.faults.live_shop import wait_for
from tests.faults.poison import TRIES

from ..ingest_clients import DOCUMENT, event
from .clients import SHOPPERS
from .stage import Stage, on_stage


@on_stage
def swallowed(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """After each poison a good message is worked off by the same worker; bad events leave their neighbours alone."""
    worker, marks = stage.parts["worker"], stage.shop.folder / "tries"
    poisons: dict[str, Callable[[], Any]] = {
        "a task that always raises": lambda: send(stage, "tests.faults.poison.always_raises", str(marks)),
        "a task that nobody knows": lambda: send(stage, "no.such.task"),
        "arguments that no task takes": lambda: send(stage, "shop_reco.recommendations.tasks.train_all", 1, 2, 3),
        "a kind that does not exist": lambda: send(stage, "shop_reco.recommendations.tasks.train_recommender", "x"),
        "a message that is garbage": lambda: garbage(stage, b"\x00\xff{"),
        "a message of another shape": lambda: garbage(stage, b"[]"),
        "an empty message": lambda: garbage(stage, b""),
    }
    told = {}
    for name, poison in poisons.items():
        poison()
        told[name] = good_after(stage, name)
        assert worker.poll() is None, f"the worker died of {name}"
    wait_for(lambda: len(marks.read_text().split()) >= TRIES, "the last try")  # the control: the poison was taken
    time.sleep(2)
    tries = len(marks.read_text().split())
    assert tries == TRIES, f"a task that always raises was tried {tries} times"
    stage.said(stage.buyer, "acknowledged")
    events = bad_events(stage, random.Random(seed), max(1, rounds // 5))
    lists = stage.said(stage.reader, "PERSONAL")
    return {"good_after_s": told, "tries": tries, "events": events, "lists": lists, "control": "fires"}


def send(stage: Stage, task: str, *arguments: Any) -> None:
    stage.hand.do(f"send({task!r}, {arguments!r}).id")


def good_after(stage: Stage, name: str, *, seconds: float = 60) -> float:
    """Seconds until a good message that was sent after it is worked off."""
    mark, began = stage.shop.folder / f"good-{uuid.uuid4()}", time.monotonic()
    send(stage, "tests.faults.poison.writes", str(mark))
    wait_for(mark.exists, f"the good message after {name}", seconds=seconds)
    return round(time.monotonic() - began, 1)


def garbage(stage: Stage, content: bytes) -> None:
    """Into the folder that is the queue, as a torn disk or a stranger would leave it."""
    queue = stage.shop.folder / "broker" / "queue"
    draft = stage.shop.folder / "draft"
    draft.write_bytes(content)
    draft.rename(queue / f"{time.time_ns() // 1000}_{uuid.uuid4()}.{MAINTENANCE}.msg")


def bad_events(stage: Stage, chance: random.Random, n: int) -> dict[str, int]:
    """In each batch three of six are bad: what was received is stored or refused with a reason, each once."""
    sent = stored = refused = 0
    for _ in range(n):
        good = [event(chance, SHOPPERS) for _ in range(3)]
        bad = [event(chance, SHOPPERS) for _ in range(3)]
        bad[0]["sku"], bad[1]["id"], bad[2]["occurredAt"] = "unheard of", "no UUID", "2099-01-01T00:00:00+00:00"
        wrong, data = stage.reader.post(DOCUMENT, {"events": [*good, *bad]})
        assert not wrong, f"a batch with bad events: {wrong}"
        answer = data["trackEvents"]
        sent, stored, refused = sent + 6, stored + answer["accepted"], refused + len(answer["rejected"])
        assert {each["index"] for each in answer["rejected"]} == {3, 4, 5}, answer
        stage.buyer.acknowledged += [each["id"].replace("-", "") for each in good]
    assert sent == stored + refused, f"{sent} sent, {stored} stored, {refused} refused"
    return {"sent": sent, "stored": stored, "refused": refused}
