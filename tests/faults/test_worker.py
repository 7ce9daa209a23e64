"""A worker that dies in the middle of a training costs time and nothing else, whatever the broker."""

from __future__ import annotations

import os
import signal

import pytest

from .live_shop import LiveShop, kill, wait_for

pytestmark = pytest.mark.faults
BROKERS = {"file system": "", "Redis": "TEST_REDIS_URL", "RabbitMQ": "TEST_AMQP_URL"}


@pytest.fixture(params=BROKERS)
def broker(request):
    variable = BROKERS[request.param]
    if variable and variable not in os.environ:
        pytest.skip(f"{request.param} DID NOT RUN: nothing answers, and {variable} names none")
    return os.environ.get(variable, "") if variable else ""


@pytest.fixture
def live(tmp_path, broker):
    shop = LiveShop(tmp_path, broker)
    yield shop
    shop.end()


def test_a_killed_training_leaves_the_last_version_serving_and_is_taken_over(live):
    web, worker = live.web(), live.worker()
    for kind in ("popularity", "item_cf", "behaviour_mlp"):
        live.train(kind)
        wait_for(lambda kind=kind: [run[0] for run in live.runs(kind)] == ["done"], f"the training of {kind}")
    before = live.live_version("behaviour_mlp")
    served = live.list_of(web)
    assert served["rung"] == "PERSONAL"
    assert len(served["edges"]) == 10

    kill(worker, signal.SIGTERM)
    worker = live.worker(epochs=1_000_000)
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
