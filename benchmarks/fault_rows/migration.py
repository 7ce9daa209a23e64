"""The next release's migrations, applied to a long table while the shop serves as a deployment does, and taken back."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tests.faults.live_shop import ROOT, answers_at, free_port, kill, wait_for

from ..machine import tell
from .locks import holding
from .stage import Stage, in_thread

APP, COLUMN, INDEX = "reco_events", "9998_next_release", "9999_next_index"
LONGEST, LONGEST_IN_SQLITE = 1.0, 4.0
"""Seconds for which the migration may hold anybody up: SQLite builds an index in one go, under its only lock."""
LOCK_WAIT = 700
"""Milliseconds that taking it back waits for the lock of a table, since whoever comes after waits behind it."""
READING = 4.0
"""Seconds for which a stranger goes on reading the table once the migration waits for them."""
COMING = 90.0
"""Seconds within which it must come to that."""
TRIES = 20
PATIENCE = 400
"""Seconds after which a training of so many events is done."""
PEOPLE = 5000
"""Shoppers whose events these are: drawing one's portrait has to read them, and must not be what holds others up."""
SOURCES = {
    COLUMN: """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reco_events", "{before}")]
    operations = [migrations.AddField("event", "campaign", models.CharField(max_length=64, null=True))]
""",
    INDEX: """
from django.db import migrations, models

from shop_reco.while_serving import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("reco_events", "{before}")]
    operations = [
        AddIndexWhileServing("event", models.Index(fields=["product", "occurred_at"], name="reco_event_next"))
    ]
""",
}
"""As ``docs/operations.md`` has them written: what builds an index is alone in a migration."""
COPIES = {
    "sqlite": "insert into reco_events_event ({columns}) select lower(hex(randomblob(16))), {others} "
    "from reco_events_event limit {n}",
    "postgresql": "insert into reco_events_event ({columns}) select gen_random_uuid(), {others} "
    "from reco_events_event limit {n}",
}


def next_release(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Forwards and back under load: old code on the new schema, and a new process that waits for its schema."""
    with Stage(folder, server, FAULTS_SHOPPERS=str(PEOPLE)) as stage:
        filled(stage, events)
        before = applied(stage)
        newer = {"FAULTS_MIGRATIONS": package(folder, before), "PYTHONPATH": str(folder)}
        port = free_port()
        waits = stage.shop.serve(port, "/health/live", **newer)
        assert (told := answers_at(port, "/health/ready"))["checks"]["migrations"] != "ok", f"new code is ready: {told}"
        found = {"without": under_load(stage, lambda: time.sleep(READING), stranger=False)}
        for name, target in {"forwards": INDEX, "back": before, "forwards again": INDEX}.items():
            back = target == before
            found[name] = under_load(
                stage, lambda back=back: taken_back(stage, before, newer) if back else deployed(stage, newer)
            )
            tell(f"{name}: {found[name]}")
            assert applied(stage) == target, f"{name}: {applied(stage)} is applied"
        if server:
            assert found["forwards"]["tries"] > 1, "the migration gave way to nobody: the probe tells nothing"
        held = {name: each["longest_s"] for name, each in found.items()}
        assert max(max(each.values()) for each in held.values()) <= longest(stage), (
            f"somebody was held up, in seconds: {held}"
        )
        assert (told := answers_at(port, "/health/ready"))["checks"]["migrations"] == "ok", f"new code waits: {told}"
        kill(waits)
        stage.restart("web")
        assert stage.reader.ask() == "PERSONAL", "old code, started on the new schema"
        control = held_up(stage, newer, before)
        return {"events": counted(stage), **found, "control": control, "epilogue": stage.epilogue(patience=PATIENCE)}


def longest(stage: Stage) -> float:
    return LONGEST if stage.shop.database else LONGEST_IN_SQLITE


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
    """The app's migrations with two more, as a package of its own in the folder."""
    name = "next_release_migrations"
    shutil.copytree(ROOT / "shop_reco" / "events" / "migrations", folder / name)
    for each, source in SOURCES.items():
        (folder / name / f"{each}.py").write_text(source.format(before=before))
        before = each
    return f"{APP}={name}"


def under_load(stage: Stage, migrate: Callable[[], int | None], *, stranger: bool = True) -> dict[str, Any]:
    """Migrate while both clients go on, and on PostgreSQL while a stranger reads the table in a long transaction."""
    since = time.monotonic()
    with reading(stage) if stranger else nullcontext():
        tries = migrate()
    took = time.monotonic() - since
    time.sleep(1)
    lists = stage.said(stage.reader, "PERSONAL", since=since - 1)
    sends = stage.said(stage.buyer, "acknowledged", since=since - 1)
    return {
        "seconds": round(took, 1),
        "tries": tries,
        "longest_s": slowest(stage, since),
        "lists": lists,
        "sends": sends,
    }


def slowest(stage: Stage, since: float) -> dict[str, float]:
    """Seconds of the slowest list and the slowest sending that were under way then."""
    told = {"list": stage.reader.since(since - 1), "sending": stage.buyer.since(since - 1)}
    return {name: round(max(each.took for each in answers), 2) for name, answers in told.items()}


def deployed(stage: Stage, newer: dict[str, str]) -> int:
    """Apply what there is as a deployment does; returns how many tries that took."""
    done = ran(stage, newer, "shop_reco_migrate")
    assert done.returncode == 0, done.stderr[-2000:]
    return 1 + done.stderr.count("tried again in")


def taken_back(stage: Stage, target: str, newer: dict[str, str], wait: int = LOCK_WAIT) -> int:
    """Run ``migrate`` until it gets its lock; returns how often that was."""
    newer = {**newer, "PGOPTIONS": f"-c lock_timeout={wait}"}
    for tries in range(1, TRIES + 1):
        done = ran(stage, newer, "migrate", APP, target)
        if done.returncode == 0:
            return tries
        assert re.search("lock timeout|LockNotAvailable|database is locked", done.stderr), done.stderr[-2000:]
    raise AssertionError(f"migrate did not get its lock in {TRIES} tries")


def ran(stage: Stage, newer: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command, environment = [sys.executable, "manage.py", *words], {**stage.shop.environment, **newer}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


@contextmanager
def reading(stage: Stage) -> Iterator[None]:
    """A stranger reads the table of events, as a report or a backup does, until the migration has waited for them.

    However long a process takes to come to its migration. SQLite's readers lock nobody.
    """
    if not stage.shop.database:
        yield
        return
    began, met = threading.Event(), threading.Event()

    def read() -> None:
        import psycopg

        with psycopg.connect(stage.shop.database) as stranger:
            stranger.execute("select 1 from reco_events_event limit 1")
            began.set()
            mine = stranger.info.backend_pid
            wait_for(lambda: behind(stage, mine), "a migration that waits for a reader", seconds=COMING)
            met.set()
            time.sleep(READING)

    thread = in_thread(read)
    began.wait(20)
    yield
    thread.join()
    assert met.is_set(), "the migration met no reader: the probe tells nothing"


def behind(stage: Stage, pid: int) -> int:
    """How many processes of the database wait for that one."""
    ((found,),) = stage.shop.rows(f"select count(*) from pg_stat_activity where {pid} = any(pg_blocking_pids(pid))")
    return int(found)


def held_up(stage: Stage, newer: dict[str, str], before: str) -> dict[str, Any]:
    """A migration that waits for its lock as long as it takes, or a stranger who holds SQLite: the probe must tell.

    The index goes first: what drops it waits for whoever reads the table as well, yet with nobody behind it, and
    after it nobody would be left for the column to wait for.
    """
    taken_back(stage, COLUMN, newer)
    since = time.monotonic()
    if stage.shop.database:
        with reading(stage):
            taken_back(stage, before, newer, wait=0)
    else:
        with holding(stage.shop.folder):
            time.sleep(LONGEST_IN_SQLITE + 0.5)
    time.sleep(1)
    found = slowest(stage, since)
    assert max(found.values()) > longest(stage), f"the probe does not see that everybody was held up: {found}"
    return {"longest_s": found, "held_up": "fires"}
