"""The shop that is put under load: planted, trained, and served by two web processes unless told otherwise."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path
from typing import Any

from tests.faults.live_shop import LiveShop, free_port, kill, wait_for

PRODUCTS, SHOPPERS = 2000, 2000
KINDS = ("popularity", "item_cf", "user_cf", "content")
RECIPES = "benchmarks.load_settings"


class LoadShop(LiveShop):
    """A shop of 2,000 products and shoppers with trained recommenders; a context that ends its processes."""

    def __init__(self, folder: Path, server: str = "", **more: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        sizes = {"FAULTS_PRODUCTS": str(PRODUCTS), "FAULTS_SHOPPERS": str(SHOPPERS), "FAULTS_EVENTS_EACH": "20"}
        super().__init__(folder, server=server, **sizes, DJANGO_SETTINGS_MODULE=RECIPES, **more)
        hand = self.hand()
        for kind in KINDS:
            hand.do(f"services.request_training(kind={kind!r}).pk")
        assert hand.do("work_off()") == len(KINDS), "a training failed"
        assert hand.process.stdin is not None
        hand.process.stdin.close()
        hand.process.wait(20)

    def __enter__(self) -> LoadShop:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def open(self, *, workers: int = 2, **more: str) -> tuple[int, subprocess.Popen[bytes]]:
        """A granian with so many processes of four threads, and its port; returns once it answers."""
        port = free_port()
        return port, self.serve(port, workers=workers, **more)

    def trainer(self) -> subprocess.Popen[bytes]:
        """A worker in the midst of a training without an end."""
        worker = self.worker(epochs=1_000_000)
        standing_back = Path(f"/proc/{worker.pid}/autogroup")
        if standing_back.exists():  # as the shares of docker-compose.yml do, or CPUWeight of systemd
            standing_back.write_text("10")
        self.train("behaviour_mlp")
        sql = "select count(*) from reco_recommendations_trainingrun where state = 'running' and phase <> 'extracting'"
        wait_for(lambda: self.rows(sql)[0][0], "a training", seconds=120)
        return worker

    def stop(self, process: subprocess.Popen[Any]) -> None:
        for pid in self.trainings():
            subprocess.run(["kill", "-9", str(pid)], check=False)
        kill(process)

    def stored(self) -> set[str]:
        """Ids of the events in the log, without dashes."""
        return {uuid.UUID(str(name)).hex for (name,) in self.rows("select id from reco_events_event")}
