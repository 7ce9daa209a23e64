"""Each task waits in its queue, whatever the broker; a broker that is away holds nobody."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid

import pytest
from celery import Celery, current_app
from kombu import Connection
from kombu.exceptions import OperationalError

from shop_reco import celery, hints, queues
from shop_reco.queues import MAINTENANCE, NAMES, PORTRAITS, TRAINING, broker_transport_options, task_queues, task_routes
from shop_reco.settings.base import file_system_broker

BROKERS = {"file system": "", "Redis": "TEST_REDIS_URL", "RabbitMQ": "TEST_AMQP_URL"}
WAITS_IN = {
    "shop_reco.portraits.tasks.refresh_dirty": PORTRAITS,
    "shop_reco.portraits.tasks.fold_events": MAINTENANCE,
    "shop_reco.portraits.tasks.fit_segments": MAINTENANCE,
    "shop_reco.recommendations.tasks.train_recommender": TRAINING,
    "shop_reco.recommendations.tasks.train_all": TRAINING,
    "shop_reco.recommendations.tasks.update_counts": TRAINING,
    "shop_reco.recommendations.tasks.update_content": TRAINING,
    "shop_reco.recommendations.tasks.unlearn": TRAINING,
    "shop_reco.recommendations.tasks.sweep_runs": TRAINING,
    "shop_reco.recommendations.tasks.trim_slates": MAINTENANCE,
    "shop_reco.recommendations.tasks.roll_up_answers": MAINTENANCE,
    "shop_reco.privacy.tasks.build_exports": MAINTENANCE,
    "shop_reco.privacy.tasks.sweep_sessions": MAINTENANCE,
    "shop_reco.privacy.tasks.trim": MAINTENANCE,
    "shop_reco.webhooks.tasks.forget_old_deliveries": MAINTENANCE,
}


def application(url, options, prefix=""):
    app = Celery(f"tests-{uuid.uuid4()}", broker=url, set_as_current=False)
    app.conf.update(
        broker_transport_options=options,
        broker_connection_timeout=1.0,
        task_queues=task_queues(prefix),
        task_routes=task_routes(prefix),
        task_default_queue=prefix + MAINTENANCE,
    )
    return app


@pytest.fixture(params=BROKERS)
def broker(request, tmp_path):
    """The address of a broker and the options of its transport."""
    variable = BROKERS[request.param]
    if not variable:
        return "filesystem://", file_system_broker(tmp_path)
    if variable not in os.environ:
        pytest.skip(f"{request.param} DID NOT RUN: nothing answers, and {variable} names none")
    url = os.environ[variable]
    return url, broker_transport_options(url)


@pytest.fixture
def prefix(broker):
    """Of queues that are deleted with the test."""
    name = f"tests-{uuid.uuid4()}-"
    yield name
    with Connection(broker[0], transport_options=broker[1]) as connection:
        for each in NAMES:
            with contextlib.suppress(connection.channel_errors):
                channel = connection.channel()
                channel.queue_delete(name + each)
                channel.exchange_delete(name + each)


def test_every_task_has_its_queue():
    current_app.loader.import_default_modules()
    celery.app.autodiscover_tasks(force=True)
    assert {name for name in celery.app.tasks if name.startswith("shop_reco.")} == WAITS_IN.keys()


def test_each_task_waits_in_its_own_queue_and_in_no_other(broker, prefix):
    app = application(*broker, prefix)
    for name in WAITS_IN:
        app.send_task(name, ignore_result=True)
    app.send_task("shop.of.the.host", ignore_result=True)
    found = {}
    with app.connection_for_read() as connection:
        for queue in task_queues(prefix):
            bound, waiting = queue(connection.channel()), []
            bound.declare()
            while (message := bound.get(no_ack=True)) is not None:
                waiting.append(message.headers["task"])
            found[queue.name.removeprefix(prefix)] = sorted(waiting)
    expected = {each: sorted(name for name, queue in WAITS_IN.items() if queue == each) for each in NAMES}
    expected[MAINTENANCE] = sorted([*expected[MAINTENANCE], "shop.of.the.host"])
    assert found == expected


def test_a_worker_that_is_told_nothing_takes_from_all_queues():
    assert set(celery.app.amqp.queues.consume_from) == set(NAMES)
    assert celery.app.conf.task_acks_late
    assert celery.app.conf.task_reject_on_worker_lost
    assert celery.app.conf.worker_prefetch_multiplier == 1


class Relay:
    """Stands between a client and a service; may be cut, and opened again at the same port."""

    def __init__(self, host: str, port: int) -> None:
        self.target, self.port, self.open_sockets = (host, port), 0, list[socket.socket]()
        self.open()

    def open(self) -> None:
        self.door = socket.create_server(("127.0.0.1", self.port))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.door,), daemon=True).start()

    def cut(self) -> None:
        for each in [self.door, *self.open_sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.open_sockets.clear()

    def _accept(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = door.accept()
                far = socket.create_connection(self.target)
                self.open_sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)


@pytest.fixture(params=["Redis", "RabbitMQ"])
def relayed(request, monkeypatch):
    """A relay to a real broker, and a task that is published through it; hints are this test's own."""
    variable = BROKERS[request.param]
    if variable not in os.environ:
        pytest.skip(f"{request.param} DID NOT RUN: nothing answers, and {variable} names none")
    with Connection(os.environ[variable]) as there:
        relay = Relay(there.hostname or "127.0.0.1", there.port or {"Redis": 6379, "RabbitMQ": 5672}[request.param])
        url = os.environ[variable].replace(f"{there.hostname}:{there.port}", f"127.0.0.1:{relay.port}")
    app, name = application(url, broker_transport_options(url), f"tests-{uuid.uuid4()}-"), f"hint-{uuid.uuid4()}"

    @app.task(name=name)
    def task() -> None: ...

    yield relay, task, app, os.environ[variable]
    relay.cut()
    with Connection(os.environ[variable]) as connection:
        queue = app.conf.task_default_queue
        for each in (connection.channel().queue_delete, connection.channel().exchange_delete):
            each(queue)


def arrived(app, url):
    """How many messages wait, asked past the relay."""
    with Connection(url) as connection:
        queue = next(each for each in app.conf.task_queues if each.name == app.conf.task_default_queue)
        bound, n = queue(connection.channel()), 0
        bound.declare()
        while bound.get(no_ack=True) is not None:
            n += 1
        return n


def comes(app, url):
    deadline = time.monotonic() + 10
    while not arrived(app, url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_broker_that_is_away_holds_nobody_and_is_used_again_after_its_return(relayed):
    relay, task, app, url = relayed
    assert hints.offer(task)
    assert comes(app, url)
    relay.cut()
    began = time.monotonic()
    assert hints.offer(task)
    assert time.monotonic() - began < queues.PATIENCE
    time.sleep(3)  # by then it is given up
    assert arrived(app, url) == 0
    relay.open()
    assert hints.offer(task)
    assert comes(app, url)


@pytest.mark.parametrize("scheme", ["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_publication_is_given_up_after_a_second_or_so(scheme, hangs):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as door:
        url = scheme.format(door.getsockname()[1])
        if not hangs:
            door.close()
        app = application(url, broker_transport_options(url))
        began = time.monotonic()
        with pytest.raises(OperationalError):
            app.send_task("any", retry=True, retry_policy=queues.ONCE_MORE, ignore_result=True)
    assert time.monotonic() - began < 5


def test_a_host_gives_its_queues_names_of_their_own():
    assert [queue.name for queue in task_queues("reco-")] == ["reco-portraits", "reco-training", "reco-maintenance"]
    assert task_routes("reco-")["shop_reco.*"] == {"queue": "reco-maintenance"}
