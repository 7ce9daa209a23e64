"""A shop of real processes on a database of its own, to be killed at will."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError

from shop_reco.queues import MAINTENANCE, NAMES, broker_transport_options, task_queues, task_routes
from shop_reco.settings.base import file_system_broker

from . import postgresql
from .planting import ROOT, copy, environment_of, plant

LIST = """query { recommendations(first: 10) { rung edges { score node { sku } reasons { kind points } } } }"""


class LiveShop:
    """Starts and ends processes of the shop; asks the database, as an onlooker would, how far they are."""

    def __init__(self, folder: Path, broker: str = "", server: str = "", **more: str) -> None:
        """``server`` is the URL of a PostgreSQL where a database is made for this shop; without it, SQLite."""
        self.folder, self.broker = folder, broker
        self.queues = f"faults-{uuid.uuid4()}-" if broker else ""
        self.database = postgresql.created(server) if server else ""
        self.environment = environment_of(folder, self.database, more)
        if broker:
            self.environment |= {"FAULTS_BROKER_URL": broker, "FAULTS_QUEUE": self.queues}
        self.key = plant(self.environment) if server else copy(folder, more)
        self.running: list[subprocess.Popen[Any]] = []

    def run(self, *arguments: str, seconds: float = 120) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT, env={**self.environment, **more}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def worker(self, epochs: int = 2, *, pool: str = "solo", queue: str = "", **more: str) -> subprocess.Popen[bytes]:
        """A worker whose behaviour MLP trains for so many epochs: with many it never ends by itself.

        ``queue`` is the one that it takes from, of all where it is empty; the pool ``prefork`` has one child.
        """
        # A name of its own: RabbitMQ refuses a second worker of one name, and another run may have left one.
        name = f"--hostname=faults-{uuid.uuid4()}@%h"
        arguments = [
            "celery",
            "-A",
            "shop_reco",
            "worker",
            f"--pool={pool}",
            "--concurrency=1",
            "--loglevel=INFO",
            name,
        ]
        if queue:
            arguments += ["--queues", self.queues + queue]
        return self.start(*arguments, FAULTS_EPOCHS=str(epochs), **more)

    def beat(self, scheduler: str = "", **more: str) -> subprocess.Popen[bytes]:
        """``scheduler`` in place of the one that the settings name."""
        arguments = ["celery", "-A", "shop_reco", "beat", "--loglevel=INFO", "--pidfile=", "--max-interval=1"]
        return self.start(*arguments, *(["--scheduler", scheduler] if scheduler else []), **more)

    def web(self) -> httpx.Client:
        port = free_port()
        self.serve(port)
        # A connection kept alive may be closed by the server just as the next request is on its way.
        fresh = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=fresh)

    def serve(self, port: int, path: str = "/health/", *, workers: int = 1, **more: str) -> subprocess.Popen[bytes]:
        """Web processes with the threads that they have in production; returns once one answers there."""
        address = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "4"]
        lines = ["--no-access-log", "--log-config", "deploy/granian.json"]
        process = self.start(
            "granian", *address, *lines, "--workers", str(workers), "shop_reco.wsgi:application", **more
        )
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            wait_for(lambda: answers(client, path), "the web process", seconds=60)
        return process

    def hand(self) -> Hand:
        """A process that does in the shop what it is told; its own trainings have no process of their own."""
        log = (self.folder / "hand.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.hand"],
            cwd=ROOT, env={**self.environment, "FAULTS_TRAINING_PROCESS": "0"}, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        self.running.append(process)
        return Hand(process)

    def trainings(self) -> list[int]:
        """The processes that train now, those whose worker died among them."""
        ours = {process.pid for process in self.running}
        return [pid for pid in processes_with("fit_run") if session_of(pid) in ours]

    def trained(self) -> set[tuple[str, str]]:
        """The runs that these processes are at, and for whom, though another may have taken over by now."""
        found = (words_of(pid)[-2:] for pid in self.trainings())
        return {(run.replace("-", ""), owner) for run, owner in (each for each in found if len(each) == 2)}

    def train(self, kind: str) -> None:
        if kind == "all":
            self.send("shop_reco.recommendations.tasks.train_all")
        else:
            self.send("shop_reco.recommendations.tasks.train_recommender", kind)

    def send(self, task: str, *arguments: Any) -> None:
        """Publish a task where this shop's workers take it from."""
        broker = self.broker or "filesystem://"
        options = broker_transport_options(broker) if self.broker else file_system_broker(self.folder / "broker")
        with Celery(broker=broker, set_as_current=False) as app:
            app.conf.update(
                broker_transport_options=options,
                task_queues=task_queues(self.queues),
                task_routes=task_routes(self.queues),
                task_default_queue=self.queues + MAINTENANCE,
            )
            app.send_task(task, arguments, ignore_result=True)

    def list_of(self, client: httpx.Client, shopper: str = "h1") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "X-Shopper": shopper}
        reply = client.post("/graphql/", json={"query": LIST}, headers=headers)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()["data"]["recommendations"]
        return found

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        if self.database:
            return postgresql.rows(self.database, sql.replace("?", "%s"), *values)
        with sqlite3.connect(f"file:{self.folder / 'db.sqlite3'}?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute(sql, values).fetchall()

    def runs(self, kind: str) -> list[tuple[str, str, int]]:
        """State, phase and attempts of a recommender's training runs, oldest first."""
        sql = "select state, phase, attempts from reco_recommendations_trainingrun where recommender_id = ? order by id"
        return self.rows(sql, kind)  # type: ignore[return-value]

    def live_version(self, kind: str) -> str:
        sql = "select public_id from reco_recommendations_modelversion where recommender_id = ? and state = 'live'"
        ((version,),) = self.rows(sql, kind)
        return str(version)

    def staff(self, client: httpx.Client) -> None:
        """Sign the client in to the admin."""
        page = client.get("/admin/login/")
        answer = client.post(
            "/admin/login/?next=/admin/",
            data={"username": "staff", "password": "staff", "csrfmiddlewaretoken": token_in(page.text)},
        )
        assert answer.status_code == 302, answer.text[:2000]

    def end(self) -> None:
        orphans = self.trainings()
        for process in self.running:
            kill(process, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.database:
            postgresql.drop(self.database)
        if self.broker:
            forget_queues(self.broker, self.queues)


class Hand:
    """Has expressions evaluated in a process of the shop; they know what ``tests.faults.hand`` names."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def do(self, expression: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(expression) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the hand died at {expression}"
        told = json.loads(line)
        assert "error" not in told, f"{expression}: {told['error']}"
        return told["value"]


def forget_queues(broker: str, prefix: str) -> None:
    """Delete what a shop's tasks left there; nothing where the broker is away."""
    with contextlib.suppress(OperationalError), Connection(broker, connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        for name in NAMES:
            with contextlib.suppress(connection.channel_errors):
                channel = connection.channel()
                channel.queue_delete(prefix + name)
                channel.exchange_delete(prefix + name)


def processes_with(word: str) -> list[int]:
    """Processes of this machine whose command line has the word."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if word in words_of(int(folder.name))]


def words_of(pid: int) -> list[str]:
    """Of its command line; none where it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []


def session_of(pid: int) -> int:
    """The process that began the session of this one; 0 where it has ended."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def group_of(process: subprocess.Popen[Any]) -> list[int]:
    """The process and all that it started: a web server works in a child of its own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[2]) == process.pid:
                found.append(int(stat.parent.name))
    return sorted(found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def token_in(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found, page[:2000]
    return found.group(1)


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def answers_at(port: int, path: str) -> dict[str, Any]:
    """What a web process says of itself there, whatever the status; nothing where it does not answer."""
    try:
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=20).json()
    except httpx.TransportError:
        return {"status": "silent"}
    return found


def kill(process: subprocess.Popen[Any], number: int = signal.SIGKILL) -> None:
    """Signal the process and all of its group."""
    if process.poll() is None:
        os.killpg(process.pid, number)
        process.wait(10)


def wait_for(come: Callable[[], Any], what: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
