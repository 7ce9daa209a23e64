"""The next release's migration, applied by a real ``migrate`` to a long table while the shop serves, and taken back."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.live_shop import ROOT, answers_at, free_port, kill

from .locks import holding
from .stage import Stage, in_thread

APP, NEXT = "reco_events", "9999_next_release"
LONGEST = 1.0
"""Seconds for which the migration may hold anybody up."""
LOCK_WAIT = 700
"""Milliseconds that it waits for the lock of a table, since whoever comes after waits behind it."""
READING = 4.0
"""Seconds for which a stranger has read the table when the migration comes."""
TRIES = 20
SOURCE = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models

Add = AddIndexConcurrently if connection.vendor == "postgresql" else migrations.AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("reco_events", "{before}")]
    operations = [
        migrations.AddField("event", "campaign", models.CharField(max_length=64, null=True)),
        Add("event", models.Index(fields=["product", "occurred_at"], name="reco_event_next")),
    ]
"""
COPIES = {
    "sqlite": "insert into reco_events_event ({columns}) select lower(hex(randomblob(16))), {others} "
    "from reco_events_event limit {n}",
    "postgresql": "insert into reco_events_event ({columns}) select gen_random_uuid(), {others} "
    "from reco_events_event limit {n}",
}


def next_release(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Forwards and back under load: old code on the new schema, and a new process that waits for its schema."""
    with Stage(folder, server) as stage:
        filled(stage, events)
        before = applied(stage)
        newer = {"FAULTS_MIGRATIONS": package(folder, before), "PYTHONPATH": str(folder)}
        port = free_port()
        waits = stage.shop.serve(port, "/health/live", **newer)
        assert (told := answers_at(port, "/health/ready"))["checks"]["migrations"] != "ok", f"new code is ready: {told}"
        found = {}
        for name, target in {"forwards": NEXT, "back": before, "forwards again": NEXT}.items():
            found[name] = under_load(stage, lambda target=target: migrated(stage, target, newer))
            assert applied(stage) == target, f"{name}: {applied(stage)} is applied"
        assert (told := answers_at(port, "/health/ready"))["checks"]["migrations"] == "ok", f"new code waits: {told}"
        kill(waits)
        stage.restart("web")
        assert stage.reader.ask() == "PERSONAL", "old code, started on the new schema"
        control = held_up(stage, newer, before)
        return {"events": counted(stage), **found, "control": control, "epilogue": stage.epilogue()}


def filled(stage: Stage, events: int) -> None:
    """Copy what is planted until there are so many rows."""
    storage = "postgresql" if stage.shop.database else "sqlite"
    one = stage.hand.do("[each.column for each in Event._meta.concrete_fields]")
    columns, others = (", ".join(f'"{name}"' for name in names) for names in (one, one[1:]))
    while (missing := events - counted(stage)) > 0:
        stage.hand.do(f"execute({COPIES[storage].format(columns=columns, others=others, n=missing)!r})")


def counted(stage: Stage) -> int:
    ((found,),) = stage.shop.rows("select count(*) from reco_events_event")
    return int(found)


def applied(stage: Stage) -> str:
    """The newest migration of the app that is applied."""
    ((found,),) = stage.shop.rows(f"select max(name) from django_migrations where app = '{APP}'")
    return str(found)


def package(folder: Path, before: str) -> str:
    """The app's migrations with one more, as a package of its own in the folder."""
    name = "next_release_migrations"
    shutil.copytree(ROOT / "shop_reco" / "events" / "migrations", folder / name)
    (folder / name / f"{NEXT}.py").write_text(SOURCE.format(before=before))
    return f"{APP}={name}"


def under_load(stage: Stage, migrate: Any) -> dict[str, Any]:
    """Migrate while both clients go on, and on PostgreSQL while a stranger reads the table in a long transaction."""
    since = time.monotonic()
    with reading(stage):
        tries = migrate()
    took = time.monotonic() - since
    time.sleep(1)
    lists = stage.said(stage.reader, "PERSONAL", since=since - 1)
    sends = stage.said(stage.buyer, "acknowledged", since=since - 1)
    longest = slowest(stage, since)
    assert longest <= LONGEST, f"somebody was held up for {longest:.2f} s"
    return {"seconds": round(took, 1), "tries": tries, "longest_s": round(longest, 2), "lists": lists, "sends": sends}


def slowest(stage: Stage, since: float) -> float:
    """Seconds of the slowest answer to a request that was under way then."""
    told = [*stage.reader.since(since - 1), *stage.buyer.since(since - 1)]
    return max(each.took for each in told)


def migrated(stage: Stage, target: str, newer: dict[str, str], wait: int = LOCK_WAIT) -> int:
    """Run ``migrate`` until it gets its lock; returns how often that was."""
    environment = {**stage.shop.environment, **newer, "PGOPTIONS": f"-c lock_timeout={wait}"}
    command = [sys.executable, "manage.py", "migrate", APP, target]
    for tries in range(1, TRIES + 1):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode == 0:
            return tries
        assert re.search("lock timeout|LockNotAvailable", done.stderr), done.stderr[-2000:]
    raise AssertionError(f"migrate did not get its lock in {TRIES} tries")


@contextmanager
def reading(stage: Stage, seconds: float = READING) -> Iterator[None]:
    """A stranger reads the table of events for a while, as a report or a backup does; SQLite's readers lock nobody."""
    if not stage.shop.database:
        yield
        return
    began = threading.Event()

    def read() -> None:
        import psycopg

        with psycopg.connect(stage.shop.database) as stranger:
            stranger.execute("select 1 from reco_events_event limit 1")
            began.set()
            time.sleep(seconds)

    thread = in_thread(read)
    began.wait(20)
    yield
    thread.join()


def held_up(stage: Stage, newer: dict[str, str], before: str) -> str:
    """A migration that waits for its lock as long as it takes, or a stranger who holds SQLite: the probe must tell."""
    since = time.monotonic()
    if stage.shop.database:
        with reading(stage, seconds=3 * READING):
            migrated(stage, before, newer, wait=0)
    else:
        with holding(stage.shop.folder):
            time.sleep(2 * LONGEST)
    time.sleep(1)
    assert slowest(stage, since) > LONGEST, "the probe does not see that everybody was held up"
    return "fires"
