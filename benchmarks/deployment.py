"""A production on this machine whose processes are killed in turn: ``python -m benchmarks.deployment``, JSON out.

The commands and the environment of docker-compose.yml, started as processes on a PostgreSQL that answers and a Redis
of their own: two web servers behind clients that know both, two of each worker, beat, and somebody who starts again
what has died. The mix of ``benchmarks.load`` comes in all the while, and trainings are asked for. No acknowledged event
may be lost, no list may fail, and all trainings must end well; the status is 1 otherwise. At the end each part's own
health check of docker-compose.yml is run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.faults import postgresql
from tests.faults.live_shop import ROOT, LiveShop, answers, free_port, kill, wait_for

from .composed import Service, services, with_option
from .fault_rows.broker import Redis
from .load_run import run_mix
from .load_shop import PRODUCTS, SHOPPERS
from .machine import device, tell

KINDS = ("popularity", "user_cf", "content")
"""What is trained: what the gate has nothing to hold against, though the mix is chance."""
RESTARTED = 1.0
"""Seconds until a process that died is started again."""
TOKEN = "of-the-benchmarks-alone"


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
    unhealthy = [name for name, healthy in found["healthy"].items() if not healthy]
    if found["lost"] or found["mix"]["failed"] or found["trainings"].keys() - {"done"} or unhealthy:
        sys.exit(1)


class Deployment(LiveShop):
    """The parts of a production, by name; a context that ends them."""

    def __init__(self, folder: Path, server: str, broker: str) -> None:
        database = postgresql.created(server)
        given = {
            "SECRET_KEY": secrets.token_urlsafe(48), "ALLOWED_HOSTS": "127.0.0.1", "POSTGRES_PASSWORD": "unused",
            "SECURE_SSL_REDIRECT": "false", "BROKER_URL": broker, "METRICS_TOKEN": TOKEN,
        }  # fmt: skip
        self.services = services(given)
        here = {
            "DATABASE_URL": database, "REDIS_URL": broker.replace("/0", "/1"),
            "ARTIFACTS_ROOT": str(folder / "artifacts"), "PRIVACY_ROOT": str(folder / "privacy"),
            "STATIC_ROOT": str(folder / "static"),
        }  # fmt: skip
        shared = {**self.services["worker"].environment, **here}
        sizes = {"FAULTS_PRODUCTS": str(PRODUCTS), "FAULTS_SHOPPERS": str(SHOPPERS), "FAULTS_EVENTS_EACH": "20"}
        self.here = here
        self._as_composed("migrate", {**os.environ, **shared})
        super().__init__(folder, **shared, **sizes)
        self.database, self.broker = database, broker
        self.run("manage.py", "collectstatic", "--noinput")
        self.ports = [free_port(), free_port()]
        self.parts: dict[str, Any] = {}

    def __enter__(self) -> Deployment:
        for service in self.services:
            for number in (1, 2) if service != "beat" else (1,):
                if service != "migrate":
                    self.begin(f"{service} {number}")
        for port in self.ports:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                wait_for(lambda client=client: answers(client, "/health/"), "a web process", seconds=60)  # type: ignore[misc]
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def begin(self, name: str) -> None:
        kind, number = name.split()
        service = self.services[kind]
        command, more = service.command, dict(service.environment)
        if kind == "web":
            command = with_option(command, host="127.0.0.1", port=str(self.ports[int(number) - 1]))
            more["PROMETHEUS_MULTIPROC_DIR"] = str(self.folder / f"metrics-{number}")
        elif kind != "beat":
            command = [*command, f"--hostname=celery@{kind}-{number}"]
        self.parts[name] = self.start(*command, **{**more, **self.here})

    def _as_composed(self, name: str, environment: dict[str, str]) -> None:
        command = [sys.executable, *self.services[name].command[1:]]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)

    def used(self, options: argparse.Namespace) -> dict[str, Any]:
        for kind in KINDS:
            self.train(kind)
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
                if not name.startswith(("web", "beat")):
                    self.train(KINDS[sum(killed.values()) % len(KINDS)])
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
            "lost": len(mix.acknowledged - stored), "trainings": dict(runs), "healthy": self.healthy(),
        }  # fmt: skip

    def healthy(self) -> dict[str, bool]:
        """What each service's own check says, run as the engine would."""
        return {name: self._healthy(name, service) for name, service in self.services.items() if service.probe}

    def _healthy(self, name: str, service: Service) -> bool:
        probe = [each.replace("127.0.0.1:8000", f"127.0.0.1:{self.ports[0]}") for each in service.probe]
        more = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOSTNAME": f"{name}-1"}
        environment = {**self.environment, **service.environment, **self.here, **more, "PROMETHEUS_MULTIPROC_DIR": ""}
        return not subprocess.run(probe, cwd=ROOT, env=environment, capture_output=True).returncode

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
