"""A migration may be applied while the release before it serves: it locks no table for long, and takes nothing away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, connections, models, transaction
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements
from django_migration_linter.sql_analyser.base import Check, CheckMode, CheckType
from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser

from shop_reco.management.commands import shop_reco_migrate
from shop_reco.settings.base import sqlite_database
from shop_reco.settings.sqlite.base import DatabaseWrapper, WriteLock
from shop_reco.while_serving import AddIndexWhileServing, RemoveIndexWhileServing

BEFORE = set((Path(__file__).parent / "migrations_before_the_rule.txt").read_text().split())
"""Migrations from before there was this rule. None is ever added here."""
LET_THROUGH: dict[str, dict[str, str]] = {}
"""Codes of issues that may be, by migration, each with why: {"reco_x.0009_y": {"DROP_COLUMN": "unread since 0.4"}}."""
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")


class Rules(PostgresqlAnalyser):
    """Those of django-migration-linter, and two more of ours."""

    migration_checks = [
        *PostgresqlAnalyser.migration_checks,
        Check(
            code="ADD_CONSTRAINT",
            fn=lambda sql, **kw: (
                re.search("ALTER TABLE .* ADD CONSTRAINT .* (CHECK|FOREIGN KEY)", sql) and "NOT VALID" not in sql
            ),
            message="ADD CONSTRAINT reads the whole table under its lock: add it NOT VALID, validate it later",
            mode=CheckMode.ONE_LINER,
            type=CheckType.ERROR,
        ),
        Check(
            code="MOVING_DEFAULT",
            fn=lambda sql, **kw: re.search(r"ADD COLUMN .* DEFAULT [^']*\(", sql),
            message="a default that is computed writes each row anew under the lock of the table",
            mode=CheckMode.ONE_LINER,
            type=CheckType.ERROR,
        ),
    ]


def issues(migration: Migration, state) -> set[str]:
    """Codes of what is wrong with a migration from this state on."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(state, editor, collect_sql=True)
    lines = [line for text in editor.collected_sql for line in text.splitlines() if not line.startswith("--")]
    made = {name for line in lines for name in re.findall('^CREATE TABLE ("[^"]+")', line)}
    lines = [line for line in lines if not any(line.startswith(f"ALTER TABLE {name}") for name in made)]
    errors, _, warnings = analyse_sql_statements(Rules, [*(["BEGIN;"] if migration.atomic else []), *lines])
    return {issue.code for issue in [*errors, *warnings]}


def planted(*operations, atomic: bool = True) -> set[str]:
    """Issues of a migration of the events' app that does this."""
    migration = Migration("9999_planted", "reco_events")
    migration.operations, migration.atomic = list(operations), atomic
    return issues(migration, MigrationLoader(connection).project_state())


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_each_migration_since_the_rule_keeps_it():
    loader = MigrationLoader(connection)
    for app, name in sorted(loader.disk_migrations):
        if app.startswith("reco_") and f"{app}.{name}" not in BEFORE:
            found = issues(loader.disk_migrations[app, name], loader.project_state((app, name), at_end=False))
            found -= set(LET_THROUGH.get(f"{app}.{name}", {}))
            assert found == set(), f"{app}.{name}: docs/operations.md tells how to do this while the shop serves"


def test_what_was_before_the_rule_is_still_there():
    there = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    assert there >= BEFORE


COLUMN = models.TextField(default="", db_default="")
BAD = {
    "a needed column whose default the old code does not know": (
        ops.AddField("event", "mood", models.TextField(default="calm")), "NOT_NULL",
    ),
    "a default that is computed": (
        ops.AddField("event", "seen", models.DateTimeField(db_default=models.functions.Now())), "MOVING_DEFAULT",
    ),
    "a column that the old code reads": (ops.RemoveField("event", "query"), "DROP_COLUMN"),
    "a column under another name": (ops.RenameField("event", "query", "words"), "RENAME_COLUMN"),
    "a table under another name": (ops.RenameModel("event", "deed"), "RENAME_TABLE"),
    "a table that goes": (ops.DeleteModel("rejectedevent"), "DROP_TABLE"),
    "an index that writers wait for": (
        ops.AddIndex("event", models.Index(fields=["order"], name="planted")), "CREATE_INDEX",
    ),
    "an index that goes while writers wait": (ops.RemoveIndex("event", "reco_event_by_day"), "DROP_INDEX"),
    "another type": (ops.AlterField("event", "quantity", models.BigIntegerField(default=1)), "ALTER_COLUMN"),
    "a unique constraint": (
        ops.AddConstraint("event", models.UniqueConstraint(fields=["order"], name="planted")), "ADD_UNIQUE",
    ),
    "a constraint that reads all rows": (
        ops.AddConstraint("event", models.CheckConstraint(condition=models.Q(quantity__lt=9), name="planted")),
        "ADD_CONSTRAINT",
    ),
}  # fmt: skip
GOOD = {
    "a column that may be empty": [ops.AddField("event", "mood", models.TextField(null=True))],
    "a column whose default the database knows": [ops.AddField("event", "mood", COLUMN)],
    "a new table with an index and a constraint": [
        ops.CreateModel("mood", [("id", models.BigAutoField(primary_key=True)), ("n", models.PositiveIntegerField())]),
        ops.AddIndex("mood", models.Index(fields=["n"], name="planted")),
    ],
}


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", BAD)
def test_what_locks_a_table_or_breaks_the_release_before_is_refused(what):
    operation, code = BAD[what]
    assert code in planted(operation)


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", GOOD)
def test_what_can_be_done_while_the_shop_serves_is_let_through(what):
    assert planted(*GOOD[what]) == set()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_index_beside_the_writes_is_let_through():
    index = models.Index(fields=["order"], name="planted")
    assert planted(AddIndexWhileServing("event", index), atomic=False) == set()
    assert planted(RemoveIndexWhileServing("event", "reco_event_by_day"), atomic=False) == set()


@pytest.mark.django_db(transaction=True)
def test_an_index_is_built_beside_the_writes_and_taken_back():
    loader = MigrationLoader(connection)
    adding = AddIndexWhileServing("event", models.Index(fields=["order"], name="planted"))
    before = loader.project_state()
    after = before.clone()
    adding.state_forwards("reco_events", after)

    def indexes():
        with connection.cursor() as cursor:
            return connection.introspection.get_constraints(cursor, "reco_events_event")

    for _ in range(2 if connection.vendor == "postgresql" else 1):  # after one that was broken off, again
        with connection.schema_editor(atomic=False) as editor:
            adding.database_forwards("reco_events", editor, before, after)
        assert "planted" in indexes()
    with connection.schema_editor(atomic=False) as editor:
        RemoveIndexWhileServing("event", "planted").database_forwards("reco_events", editor, after, before)
    assert "planted" not in indexes()


class Held(Exception):
    sqlstate = "55P03"


@pytest.fixture
def migrate(monkeypatch):
    """Stands for Django's migrate: each outcome in its list is what one call comes to; the last one repeats."""
    outcomes, calls = [], []

    def call(name, **options):
        calls.append(name)
        if (outcome := outcomes[min(len(calls), len(outcomes)) - 1]) is not None:
            raise OperationalError("canary") from outcome

    monkeypatch.setattr(shop_reco_migrate, "call_command", call)
    return outcomes, calls


def test_a_table_in_use_is_waited_for_by_trying_again(db, migrate, capsys):
    outcomes, calls = migrate
    outcomes += [Held(), Held(), None]
    call_command("shop_reco_migrate", pause=0.0)
    assert calls == ["migrate"] * 3
    assert capsys.readouterr().err.count("a table is in use") == 2


def test_a_table_that_stays_in_use_ends_it_with_what_to_do(db, migrate):
    migrate[0].append(Held())
    with pytest.raises(CommandError, match="pg_stat_activity"):
        call_command("shop_reco_migrate", pause=0.0, tries=3)
    assert len(migrate[1]) == 3


def test_sqlite_that_others_write_to_is_waited_for_by_trying_again(db, monkeypatch, capsys):
    said = ["database is locked", "database is locked: another writer held it too long", "no such table: canary"]
    told = iter(said)

    def call(name, **options):
        raise OperationalError(next(told))

    monkeypatch.setattr(shop_reco_migrate, "call_command", call)
    monkeypatch.setattr(connection, "vendor", "sqlite")
    with pytest.raises(OperationalError, match="no such table"):
        call_command("shop_reco_migrate", pause=0.0)
    assert capsys.readouterr().err.count("a table is in use") == 2


def test_a_migration_outside_of_transactions_takes_its_turn_among_sqlites_writers(db, tmp_path):
    path = tmp_path / "shop.sqlite3"
    settings = {**connections.settings["default"], **sqlite_database(path), "NAME": str(path)}
    mine = DatabaseWrapper({**settings, "OPTIONS": {"timeout": 0.2}})
    others = WriteLock(str(path))
    try:
        others.acquire(1)
        with mine.schema_editor(atomic=False) as editor, pytest.raises(OperationalError, match="another writer"):
            editor.execute("CREATE TABLE planted (n int)")
        others.release()
        with mine.schema_editor(atomic=False) as editor:
            editor.execute("CREATE TABLE planted (n int)")
        others.acquire(0)  # it has let go
        others.release()
        with mine.schema_editor() as editor:
            editor.execute("DROP TABLE planted")
    finally:
        mine.close()


def test_another_fault_is_not_tried_again(db, migrate):
    migrate[0].append(ValueError())
    with pytest.raises(OperationalError):
        call_command("shop_reco_migrate", pause=0.0)
    assert len(migrate[1]) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_it_lets_go_of_a_table_that_another_one_holds(monkeypatch):
    other = connection.copy()
    tries = []

    def alter(name, **options):
        tries.append(name)
        if len(tries) == 2:
            other.rollback()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE reco_events_event")

    monkeypatch.setattr(shop_reco_migrate, "call_command", alter)
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM reco_events_event")  # a reader is enough
    call_command("shop_reco_migrate", pause=0.0, lock_seconds=0.2)
    other.close()
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert len(tries) == 2
