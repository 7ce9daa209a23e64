"""Writers that want the same rows in both orders, and tasks that are quicker than the commit they belong to."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from tests.faults.live_shop import LiveShop, free_port, kill, wait_for

from ..ingest_clients import DOCUMENT
from .clients import Reader
from .locks import TYPED, holding
from .visibility import UPSERT, product

SHARED, TIMES = 6, 20
"""Shoppers and products that both writers touch, and meetings in each round."""
PAUSE, LATE = 0.1, 8.0
"""Seconds before each commit; in the control, longer than a task waits for the lock of SQLite."""
HINTS = 20


def met(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Two web processes; one client names shoppers and products upwards, the other downwards, events and catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = LiveShop(folder, server=server, FAULTS_EVENTS_EACH="0", FAULTS_SHOPPERS=str(SHARED))
    try:
        ports = [free_port(), free_port()]
        for port in ports:
            shop.serve(port)
        writers = [Writer(port, shop.key, order) for port, order in zip(ports, (1, -1), strict=True)]
        before, began = deadlocks(shop), time.monotonic()
        threads = [threading.Thread(target=writer.write, args=(rounds * TIMES,)) for writer in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        wrong = [word for writer in writers for word in writer.wrong]
        assert not wrong, f"{len(wrong)} calls were not answered as they should: {wrong[:3]}"
        expected = 2 * rounds * TIMES * SHARED
        ((stored,),) = shop.rows("select count(*) from reco_events_event")
        assert stored == expected, f"{stored} events are stored of {expected}"
        found = deadlocks(shop) - before
        assert found == 0, f"the database broke {found} deadlocks"
        control = crossed(shop) if server else held(shop, writers[0])
        return {"meetings": rounds * TIMES, "stored": stored, "deadlocks": found, "seconds": round(took), **control}
    finally:
        shop.end()


class Writer:
    """Sends the same shoppers and products again and again, in one order."""

    def __init__(self, port: int, key: str, order: int) -> None:
        self.client, self.order, self.wrong = Reader(port, key), order, list[str]()

    def write(self, times: int) -> None:
        numbers = list(range(SHARED))[:: self.order]
        for each in range(times):
            if self.order > 0:
                words = [self.events(numbers), self.products(numbers, each)]
            else:
                words = [self.products(numbers, each), self.events(numbers)]
            self.wrong += filter(None, words)

    def events(self, numbers: list[int]) -> str:
        """A word for what went wrong."""
        said = [{"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "shopper": f"h{n}", "sku": f"p{n}"} for n in numbers]
        wrong, data = self.client.post(DOCUMENT, {"events": said})
        return wrong or ("" if data["trackEvents"]["accepted"] == len(said) else str(data))

    def products(self, numbers: list[int], stock: int) -> str:
        wrong, data = self.client.post(UPSERT, {"p": [product(f"p{n}", stock=stock + 1) for n in numbers]})
        answer = data.get("upsertProducts", {})
        # stale: the other writer's call began later, and was quicker
        return wrong or ("" if answer["stored"] + answer["stale"] == len(numbers) else str(answer))


def deadlocks(shop: LiveShop) -> int:
    """How many the database has broken; SQLite, which has one writer at a time, tells its clients of its own kind."""
    if not shop.database:
        return 0
    time.sleep(1.5)  # the server counts with a delay
    ((found,),) = shop.rows("select deadlocks from pg_stat_database where datname = current_database()")
    return int(found)


def crossed(shop: LiveShop) -> dict[str, str]:
    """Two strangers who lock a shopper and a product crosswise: the probe must count one deadlock."""
    import psycopg

    before = deadlocks(shop)
    shopper, thing = (f"update {table} set id = id where id = (select min(id) from {table})" for table in TABLES)
    with psycopg.connect(shop.database) as one, psycopg.connect(shop.database) as other:
        one.execute(shopper)
        other.execute(thing)
        waits = threading.Thread(target=tried, args=(one, thing))
        waits.start()
        time.sleep(0.3)
        tried(other, shopper)
        waits.join()
    assert deadlocks(shop) > before, "the probe does not see a deadlock"
    return {"control": "fires"}


TABLES = ("reco_users_shopper", "reco_products_product")


def tried(connection: Any, sql: str) -> None:
    import psycopg

    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        connection.execute(sql)
    connection.rollback()


def held(shop: LiveShop, writer: Writer) -> dict[str, str]:
    """A writer who must wait too long is told, and so is the probe."""
    with holding(shop.folder):
        told = writer.events([0])
    assert told == TYPED, f"the probe does not see a writer who is held up: {told or 'acknowledged'}"
    return {"control": "fires"}


def hinted(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Each commit comes 100 ms late, and no beat makes up for a hint: each event must be drawn by its hint alone."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = LiveShop(folder, server=server, FAULTS_SHOPPERS="5")
    try:
        shop.hand().do("redraw()")
        port = free_port()
        web = shop.serve(port, FAULTS_COMMIT_PAUSE=str(PAUSE))
        shop.worker()
        reader, slowest = Reader(port, shop.key), 0.0
        for _ in range(hints := min(HINTS, rounds)):
            began = time.monotonic()
            one_event(reader)
            wait_for(lambda: not waiting(shop), "a portrait drawn by a hint alone", seconds=30)
            slowest = max(slowest, time.monotonic() - began)
        log = (folder / "celery.log").read_text()
        for word in ("DoesNotExist", "retry:", "Traceback"):
            assert word not in log, f"the worker's log tells of {word}"
        kill(web)
        shop.serve(port, FAULTS_COMMIT_PAUSE=str(LATE), FAULTS_EARLY="1")
        one_event(reader)
        time.sleep(5)
        assert waiting(shop), "a hint before the commit was not too early: the probe would see no such fault"
        return {"hints": hints, "slowest_s": round(slowest, 2), "control": "fires"}
    finally:
        shop.end()


def one_event(reader: Reader) -> None:
    said = [{"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "shopper": "h1", "sku": "p1"}]
    wrong, data = reader.post(DOCUMENT, {"events": said})
    assert not wrong, f"an event: {wrong}"
    assert data["trackEvents"]["accepted"] == 1, data


def waiting(shop: LiveShop) -> int:
    """Portraits that are not drawn yet."""
    ((found,),) = shop.rows("select count(*) from reco_events_dirtyshopper")
    return int(found)
