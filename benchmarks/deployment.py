"""A production on this machine whose processes are killed in turn: ``python -m benchmarks.deployment``, JSON out.

Production settings, PostgreSQL, a Redis of its own as the broker, two web processes behind clients that know both, two
workers, beat, and whoever starts again what has died. The mix of ``benchmarks.load`` comes in all the while, and
trainings are asked for. No acknowledged event may be lost, no list may fail, and all trainings must end well.
The status is 1 otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, answers, free_port, kill, wait_for

from .fault_rows.broker import Redis
from .load_run import run_mix
from .load_shop import KINDS, PRODUCTS, SHOPPERS
from .machine import device, tell

RESTARTED = 1.0
"""Seconds until a process that died is started again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--per-second", type=float, default=10.0, help="requests of the mix")
    parser.add_argument("--rounds", type=int, default=4, help="times that each process is killed")
    options = parser.parse_args()
    server = postgresql.server()
    if not server:
        sys.exit("no PostgreSQL answers; TEST_DATABASE_URL may name one")
    redis = Redis()
    try:
        with tempfile.TemporaryDirectory() as folder, Deployment(Path(folder), server, redis.url) as shop:
            found = shop.used(options)
    finally:
        redis.stop()
    print(json.dumps({"device": device(), **found}, indent=1))
    if found["lost"] or found["mix"]["failed"] or found["trainings"].keys() - {"done"}:
        sys.exit(1)


class Deployment(LiveShop):
    """What docker-compose.yml starts, started as processes."""

    def __init__(self, folder: Path, server: str, broker: str) -> None:
        database = postgresql.created(server)
        settings = {
            "DJANGO_SETTINGS_MODULE": "shop_reco.settings.production",
            "SECRET_KEY": secrets.token_urlsafe(48), "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false", "DATABASE_URL": database, "BROKER_URL": broker,
            "ARTIFACTS_ROOT": str(folder / "artifacts"), "STATIC_ROOT": str(folder / "static"),
            "FAULTS_PRODUCTS": str(PRODUCTS), "FAULTS_SHOPPERS": str(SHOPPERS), "FAULTS_EVENTS_EACH": "20",
        }  # fmt: skip
        super().__init__(folder, **settings)
        self.database = database
        self.run("manage.py", "collectstatic", "--noinput")
        self.ports = [free_port(), free_port()]
        self.parts: dict[str, Any] = {}

    def __enter__(self) -> Deployment:
        for name in ("web 1", "web 2", "worker 1", "worker 2", "beat"):
            self.begin(name)
        self.whole()
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def begin(self, name: str) -> None:
        kind, _, number = name.partition(" ")
        if kind == "web":
            address = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.ports[int(number) - 1]))
            threads = ("--no-access-log", "--blocking-threads", "4", "shop_reco.wsgi:application")
            self.parts[name] = self.start("granian", *address, *threads)
        elif kind == "worker":
            host = f"--hostname=deployment-{number}@%h"
            self.parts[name] = self.start("celery", "-A", "shop_reco", "worker", "--concurrency", "1", host)
        else:
            self.parts[name] = self.start("celery", "-A", "shop_reco", "beat", "--pidfile=")

    def whole(self) -> None:
        for port in self.ports:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                wait_for(lambda client=client: answers(client), "a web process", seconds=60)  # type: ignore[misc]

    def ask(self, kind: str) -> None:
        self.train(kind)

    def used(self, options: argparse.Namespace) -> dict[str, Any]:
        for kind in KINDS:
            self.ask(kind)
        self.settle(len(KINDS))
        tell("trained; the mix begins")
        seconds, names = 60 * options.minutes, list(self.parts)
        strikes = [(n + 0.5) * seconds / (options.rounds * len(names)) for n in range(options.rounds * len(names))]
        turn, killed, dead = itertools.cycle(names), dict.fromkeys(names, 0), dict[str, float]()

        def meanwhile(passed: float) -> None:
            for name in [name for name, since in dead.items() if passed - since > RESTARTED]:
                del dead[name]
                self.begin(name)
            if strikes and passed >= strikes[0]:
                strikes.pop(0)
                name = next(turn)
                if name.startswith("worker"):
                    self.ask(KINDS[sum(killed.values()) % len(KINDS)])
                kill(self.parts[name], signal.SIGKILL)
                killed[name] += 1
                dead[name] = passed

        mix = run_mix(
            self.folder, self.ports, self.key, seconds=seconds, per_second=options.per_second, shoppers=SHOPPERS,
            products=PRODUCTS, meanwhile=meanwhile,
        )  # fmt: skip
        for name in dead:
            self.begin(name)
        self.settle(0)
        stored = {str(name).replace("-", "") for (name,) in self.rows("select id from reco_events_event")}
        runs = self.rows("select state, count(*) from reco_recommendations_trainingrun group by state")
        return {
            "minutes": options.minutes, "killed": killed, "mix": mix.report(),
            "lost": len(mix.acknowledged - stored), "trainings": dict(runs),
        }  # fmt: skip

    def settle(self, ended: int) -> None:
        """Wait until so many trainings have ended, and none is under way."""
        table = "reco_recommendations_trainingrun"
        undone = f"select count(*) from {table} where state in ('queued', 'running')"
        done = f"select count(*) from {table} where state = 'done'"
        wait_for(
            lambda: self.rows(done)[0][0] >= ended and not self.rows(undone)[0][0], "the end of all trainings",
            seconds=300,
        )  # fmt: skip


if __name__ == "__main__":
    main()
