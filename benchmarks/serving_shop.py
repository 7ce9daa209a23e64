"""A made-up shop in a folder that a second run uses again, and its processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, kill, wait_for

COHORTS = {100: 100, 1000: 50, 10_000: 20}
"""Shoppers who ask for lists, by how many events they have."""
COUNTED = ("popularity", "trending", "item_cf", "user_cf", "content", "buy_again")
NETWORKS = ("behaviour_mlp", "content_mlp")
METRICS_TOKEN = "of-the-benchmarks-alone"
MOST_FOR_NETWORKS = 100_000
"""Products up to which networks take part."""


def kinds_for(products: int) -> tuple[str, ...]:
    return COUNTED + NETWORKS if products <= MOST_FOR_NETWORKS else COUNTED


class BenchShop(LiveShop):
    """Planted and trained once; what its processes do is measured, nothing in it is ever killed on purpose."""

    def __init__(self, folder: Path, products: int, *, server: str = "", kinds: tuple[str, ...] = ()) -> None:
        """``server`` is the URL of a PostgreSQL; the shop's database there keeps the name of its folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.products, self.kinds = folder.resolve(), products, kinds or kinds_for(products)
        self.database = _database(server, f"shop_reco_{folder.name}") if server else ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"},
            "DEMO_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "benchmarks.serving_settings",
            "LOG_LEVEL": "WARNING",
            "MALLOC_ARENA_MAX": "1",  # as docker-compose.yml has it
            **({"BENCH_DATABASE_URL": self.database} if server else {}),
        }
        self.running: list[subprocess.Popen[bytes]] = []
        shutil.rmtree(self.folder / "broker", ignore_errors=True)
        told = self._planted()
        self.key, self.fits = told["key"], told["fits"]

    def _planted(self) -> dict[str, str]:
        """What the planting told, now or at an earlier run."""
        path = self.folder / "planted.json"
        if not path.exists():
            self._empty()
            told = self._tell("--products", str(self.products))
            fits = self._tell("--train", ",".join(self.kinds))
            path.write_text(json.dumps({"key": told["key"], "fits": fits}))
        self._tell("--end-trainings")
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def _empty(self) -> None:
        """What an earlier run that was broken off has left is begun anew."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        if self.database:
            _remade(self.database)

    def _tell(self, *arguments: str) -> dict[str, str]:
        told = self.run("-m", "benchmarks.serving_plant", *arguments, seconds=7200)
        found: dict[str, str] = json.loads(told.splitlines()[-1])
        return found

    def train_on_the_side(self) -> subprocess.Popen[bytes]:
        """A worker in the midst of a training that lasts: a network's where there is one, else a long count."""
        name = f"--hostname=bench-{uuid.uuid4()}@%h"
        one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        arguments = ("celery", "-A", "shop_reco", "worker", "--pool=solo", "--loglevel=WARNING", name)
        worker = self.start(*arguments, BENCH_EPOCHS="1000000", **one)
        kind = NETWORKS[0] if NETWORKS[0] in self.kinds else "item_cf"
        self.train(kind)
        # the gate's own fit, of which there is no end, comes first where a version is live
        phases = [("training",), ("evaluating",)] if kind in NETWORKS else [("extracting",)]
        sql = "select phase from reco_recommendations_trainingrun where state = 'running'"
        wait_for(lambda: any(row in phases for row in self.rows(sql)), f"a training of {kind}", seconds=300)
        return worker

    def end_training(self, worker: subprocess.Popen[bytes]) -> None:
        kill(worker)
        self._tell("--end-trainings")

    def end(self) -> None:
        for process in self.running:
            kill(process)


def workers_of(server: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a granian answers by."""
    told = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(pid) for pid in told.split()]


def _database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name.replace('-', '_')}"))


def _remade(database: str) -> None:
    parts = urlsplit(database)
    server = urlunsplit(parts._replace(path="/postgres"))
    postgresql.remake(server, parts.path[1:])
