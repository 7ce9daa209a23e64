"""What lies between an event and its acknowledgement, as the kernel sees it: at least one sync of the disk."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.faults import postgresql
from tests.faults.live_shop import LiveShop, free_port, group_of, wait_for

from .clients import Reader
from .database import Cluster
from .meetings import one_event
from .stage import NotRunError

LINE = re.compile(r"(\d+\.\d+) (?:f|fdata)sync\(")
MOST, OFF = 200, 30
"""Events in the row at most, and in its control."""


def before_replies(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Events one by one, each with the syncs while it was under way; in the control the database does not sync."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("strace") is None:
        raise NotRunError("strace is not installed")
    with ExitStack() as stack:
        cluster = Cluster() if server else None
        if cluster is not None:
            stack.callback(cluster.end)
        shop = LiveShop(folder, server=cluster.url if cluster else "", FAULTS_SHOPPERS="5")
        stack.callback(shop.end)
        safe = asked(shop, cluster, min(MOST, 4 * rounds))
        least = min(safe)
        assert least >= 1, f"{safe.count(0)} of {len(safe)} events were acknowledged before a sync"
        if cluster is not None:
            postgresql.command(cluster.url, "alter system set synchronous_commit = off")
            postgresql.command(cluster.url, "select pg_reload_conf()")
        hasty = asked(shop, cluster, OFF, FAULTS_SYNCHRONOUS="OFF")
        assert min(hasty) == 0, f"with syncs off, too, each event had {min(hasty)} or more: the probe tells nothing"
        return {"events": len(safe), "syncs": sum(safe), "least": least, "with_syncs_off": sum(hasty),
                "events_with_syncs_off": OFF, "control": "fires"}  # fmt: skip


def asked(shop: LiveShop, cluster: Cluster | None, n: int, **more: str) -> list[int]:
    """Syncs while each of n events was under way, one after the other."""
    port = free_port()
    web = shop.serve(port, **more)
    reader, spans = Reader(port, shop.key), []
    for _ in range(3):  # what a first request does is no part of the measure
        one_event(reader)
    with traced(shop.folder, group_of(web) if cluster is None else cluster.processes()) as log:
        for _ in range(n):
            began = time.time()
            one_event(reader)
            spans.append((began, time.time()))
    moments = [float(found.group(1)) for found in map(LINE.search, log.read_text().splitlines()) if found]
    web.send_signal(signal.SIGTERM)
    web.wait(20)
    return [sum(began <= moment <= ended for moment in moments) for began, ended in spans]


@contextmanager
def traced(folder: Path, pids: list[int]) -> Iterator[Path]:
    """Write the syncs of these processes and of their children to a file, each with the moment when it began."""
    log, said = folder / "strace.log", folder / "strace.said"
    log.unlink(missing_ok=True)
    whom = [word for pid in pids for word in ("-p", str(pid))]
    command = ["strace", "-f", "-ttt", "-e", "trace=fsync,fdatasync", "-o", str(log), *whom]
    with said.open("wb") as file:
        strace = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    try:
        wait_for(lambda: strace.poll() is not None or "attached" in said.read_text(), "strace", seconds=20)
        if strace.poll() is not None:
            raise NotRunError(f"strace may not watch other processes here: {said.read_text()[-200:]}")
        time.sleep(1)
        yield log
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(20)
