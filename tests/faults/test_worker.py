"""A worker that dies in the middle of its work costs seconds and nothing else, whatever the broker."""

from __future__ import annotations

import os
import signal
import time
import uuid
from pathlib import Path

import httpx
import pytest

from shop_reco.queues import BACK, PORTRAITS, SWEEP, TRAINING
from tests.redis_server import RedisServer

from .live_shop import LiveShop, kill, wait_for, words_of
from .poison import TRIES

pytestmark = pytest.mark.faults
PORTRAYING = "shop_reco.portraits.tasks.refresh_dirty"
BROKERS = {"file system": "", "Redis": "TEST_REDIS_URL", "RabbitMQ": "TEST_AMQP_URL"}


@pytest.fixture(params=BROKERS)
def broker(request):
    variable = BROKERS[request.param]
    if variable and variable not in os.environ:
        pytest.skip(f"{request.param} DID NOT RUN: nothing answers, and {variable} names none")
    return os.environ.get(variable, "") if variable else ""


@pytest.fixture
def live(tmp_path, broker):
    shop = LiveShop(tmp_path, broker, FAULTS_TRAINED="behaviour_mlp")
    yield shop
    shop.end()


@pytest.fixture
def crowded(tmp_path, broker):
    """A shop whose portraits take some seconds to draw; nothing but the broker brings a lost task back."""
    shop = LiveShop(tmp_path, broker, FAULTS_SHOPPERS="800", FAULTS_EVENTS_EACH="4")
    yield shop
    shop.end()


def dirty(shop: LiveShop) -> int:
    ((n,),) = shop.rows("select count(*) from reco_events_dirtyshopper")
    return int(n)


def in_the_middle(shop: LiveShop) -> None:
    """Have the portraits drawn; returns when some are and others are not."""
    n = dirty(shop)
    shop.send(PORTRAYING)
    wait_for(lambda: dirty(shop) < n, "the first portrait")


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, found) if any("celery" in word for word in words_of(child))]


def test_a_killed_training_leaves_the_last_version_serving_and_is_taken_over(live):
    web, worker = live.web(), live.worker(epochs=1_000_000)
    before = live.live_version("behaviour_mlp")
    served = live.list_of(web)
    assert served["rung"] == "PERSONAL"
    assert len(served["edges"]) == 10

    live.train("behaviour_mlp")
    wait_for(lambda: live.runs("behaviour_mlp")[-1][:2] == ("running", "evaluating"), "the second training")
    kill(worker, signal.SIGKILL)
    assert live.runs("behaviour_mlp")[-1][0] == "running"
    assert live.live_version("behaviour_mlp") == before
    assert [edge["node"] for edge in live.list_of(web)["edges"]] == [edge["node"] for edge in served["edges"]]

    live.worker()
    live.beat()  # not before: its schedule may train more at any minute, and lists change with it
    wait_for(lambda: live.runs("behaviour_mlp")[-1][0] == "done", "the run that was taken over")
    assert live.runs("behaviour_mlp")[-1][2] == 2
    assert live.live_version("behaviour_mlp") != before
    assert live.list_of(web)["rung"] == "PERSONAL"


def test_the_portraits_of_a_killed_worker_are_drawn_by_the_next_one_within_seconds(crowded, broker):
    worker = crowded.worker(pool="prefork", queue=PORTRAITS)
    in_the_middle(crowded)
    kill(worker, signal.SIGKILL)
    assert dirty(crowded) > 0
    if not broker:  # the folder forgets what was read from it; beat sweeps
        crowded.hand().do("every('Draw portraits with news', 1)")
        crowded.beat()
    began = time.monotonic()
    crowded.worker(pool="prefork", queue=PORTRAITS)
    left = dirty(crowded)
    wait_for(lambda: dirty(crowded) < left, "the first portrait of the next worker", seconds=BACK + SWEEP + 60)
    assert time.monotonic() - began < BACK + SWEEP + 30
    wait_for(lambda: dirty(crowded) == 0, "the portraits that were left", seconds=120)


def test_a_worker_that_loses_its_child_does_the_task_again(crowded):
    worker = crowded.worker(pool="prefork")
    in_the_middle(crowded)
    (child,) = children_of(worker.pid)
    os.kill(child, signal.SIGKILL)
    assert dirty(crowded) > 0
    wait_for(lambda: dirty(crowded) == 0, "the portraits that were left", seconds=120)
    assert worker.poll() is None


def test_what_kills_each_process_that_tries_it_is_given_up(live, tmp_path):
    marks, mark = tmp_path / "marks", tmp_path / "mark"
    worker = live.worker(pool="prefork")
    live.send("tests.faults.poison.always_kills", str(marks))
    wait_for(lambda: marks.exists() and len(marks.read_text().split()) == TRIES, "the last try", seconds=90)
    live.send("tests.faults.poison.writes", str(mark))
    wait_for(mark.exists, "the message after it", seconds=40)
    time.sleep(5)
    assert len(marks.read_text().split()) == TRIES
    assert worker.poll() is None


def test_a_portrait_does_not_wait_for_a_training(live):
    live.worker(epochs=1_000_000, queue=TRAINING)
    live.train("behaviour_mlp")
    wait_for(lambda: [run[0] for run in live.runs("behaviour_mlp")] == ["done", "running"], "the training")
    live.send(PORTRAYING)
    live.train("popularity")
    time.sleep(3)
    assert dirty(live) > 0  # who trains does not take it
    live.worker(queue=PORTRAITS)
    wait_for(lambda: dirty(live) == 0, "the portraits", seconds=90)
    assert live.runs("popularity") == []  # nor does who draws take the other training


@pytest.fixture
def server():
    started = RedisServer()
    yield started
    started.stop()


def test_a_redis_that_hangs_holds_no_request(tmp_path, server):
    shop = LiveShop(tmp_path, server.url, FAULTS_RATE_POINTS="2", FAULTS_RATE_REDIS=server.url)
    try:
        web = shop.web()
        send_events(shop, web)
        with server.frozen():
            took = [send_events(shop, web) for _ in range(10)]
        assert max(took) < SLOW
        assert dirty(shop) > 0
    finally:
        shop.end()


SLOW = 5.0
"""Seconds that a request may take on a busy machine."""
TRACK = "mutation($events: [EventInput!]!) { trackEvents(events: $events) { accepted rejected { code } } }"


def send_events(shop: LiveShop, web: httpx.Client) -> float:
    """Seconds until twenty events of a shopper are acknowledged."""
    events = [{"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "shopper": "h1", "sku": f"p{n}"} for n in range(20)]
    began = time.monotonic()
    answer = web.post(
        "/graphql/",
        json={"query": TRACK, "variables": {"events": events}},
        headers={"Authorization": f"Bearer {shop.key}"},
    )
    assert answer.json()["data"]["trackEvents"]["accepted"] == 20, answer.text
    return time.monotonic() - began
