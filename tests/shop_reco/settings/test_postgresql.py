"""Each kind of process has limits of its own in PostgreSQL, and a web process a bounded number of connections."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler

from shop_reco.database_errors import cannot_serve
from shop_reco.settings.environment import Environment
from shop_reco.settings.postgresql import ROLES, for_this_process, role_of

NAMES = (
    "DB_ROLE", "DB_STATEMENT_SECONDS", "DB_LOCK_SECONDS", "DB_IDLE_SECONDS", "DB_POOL_MAX", "DB_POOL_SECONDS",
    "WEB_STATEMENT_SECONDS", "WEB_LOCK_SECONDS", "WEB_IDLE_SECONDS",
)  # fmt: skip
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def opened(environment, transactional_db):
    """Opens connections as a process of some role would, to the database of the tests."""
    handlers = []

    def open_(role: str, **variables: str):
        for name, value in {"DB_ROLE": role, **variables}.items():
            environment.setenv(name, value)
        here = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")}
        handlers.append(ConnectionHandler({"default": for_this_process(here, Environment())}))
        return handlers[-1]

    yield open_
    for handler in handlers:
        handler["default"].close()
        if handler["default"].pool:
            handler["default"].close_pool()


@pytest.mark.parametrize(
    ("argv", "role"),
    [
        (["/venv/bin/granian", "--interface", "wsgi"], "web"),
        (["/venv/bin/gunicorn"], "web"),
        (["-c"], "web"),
        ([], "web"),
        (["manage.py", "runserver"], "web"),
        (["/venv/bin/celery", "-A", "shop_reco", "worker"], "worker"),
        (["/venv/lib/celery/__main__.py", "-A", "shop_reco", "beat"], "beat"),
        (["/venv/lib/django/__main__.py", "fit_run", "1", "2"], "training"),
        (["manage.py", "migrate"], "migrate"),
        (["manage.py", "shop_reco_migrate"], "migrate"),
        (["/app/manage.py", "import_events", "file.csv"], "command"),
        (["django-admin"], "command"),
    ],
)
def test_a_process_is_known_by_how_it_was_started(argv, role):
    assert role_of(argv) == role


def test_a_web_process_waits_for_seconds_where_others_may_take_longer():
    web = ROLES["web"]
    assert (web.statement, web.lock) == (5, 2)
    assert all(each > 0 for each in (web.statement, web.lock, web.idle))
    for role in ("worker", "training", "command", "migrate"):
        assert ROLES[role].statement == 0 or ROLES[role].statement > web.statement


def test_another_database_than_postgresql_stays_as_it_is():
    given = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}
    assert for_this_process(given, Environment()) == {**given, "CONN_MAX_AGE": 60}


def test_what_the_address_says_of_a_session_counts(environment):
    environment.setenv("DB_ROLE", "web")
    environment.setenv("A_DATABASE", "postgres://u:p@h/n?sslmode=require&options=-c%20lock_timeout%3D9s")
    options = for_this_process(Environment().db("A_DATABASE"), Environment())["OPTIONS"]
    assert options["sslmode"] == "require"
    assert options["options"].endswith("-c lock_timeout=9s")


@pytest.mark.parametrize(("role", "pooled"), [("web", True), ("worker", False), ("command", False)])
def test_only_a_web_process_keeps_a_pool(environment, role, pooled):
    environment.setenv("DB_ROLE", role)
    made = for_this_process({"ENGINE": "django.db.backends.postgresql", "NAME": "x"}, Environment())
    assert ("pool" in made["OPTIONS"]) is pooled
    assert made["CONN_MAX_AGE"] == (0 if pooled else 60)  # Django refuses the two together


def test_a_pool_that_is_not_wanted_is_none(environment):
    environment.setenv("DB_ROLE", "web")
    environment.setenv("DB_POOL_MAX", "0")
    made = for_this_process({"ENGINE": "django.db.backends.postgresql", "NAME": "x"}, Environment())
    assert "pool" not in made["OPTIONS"]


@on_postgresql
@pytest.mark.parametrize("role", ROLES)
def test_a_session_says_whose_it_is_and_has_the_limits_of_its_role(opened, role):
    with opened(role)["default"].cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name LIKE '%%_timeout' OR name = 'application_name'"
        )
        found = dict(cursor.fetchall())
    limits = ROLES[role]
    assert found["application_name"] == f"shop-reco {role}"
    assert found["statement_timeout"] == f"{1000 * limits.statement}"
    assert found["lock_timeout"] == f"{1000 * limits.lock}"
    assert found["idle_in_transaction_session_timeout"] == f"{1000 * limits.idle}"


@on_postgresql
@pytest.mark.parametrize(("role", "statement"), [("web", "7s"), ("command", "0"), ("worker", "10min")])
def test_the_limits_of_web_servers_are_not_those_of_a_command_beside_them(opened, role, statement):
    with opened(role, WEB_STATEMENT_SECONDS="7")["default"].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == (statement,)


@on_postgresql
def test_a_statement_that_takes_too_long_is_ended_and_the_shopper_told_to_come_again(opened):
    database = opened("web", DB_STATEMENT_SECONDS="0.1")["default"]
    with database.cursor() as cursor, pytest.raises(OperationalError) as told:
        cursor.execute("SELECT pg_sleep(5)")
    assert cannot_serve(told.value)


@on_postgresql
def test_a_lock_that_is_held_too_long_is_not_waited_for(opened, person):
    table = person._meta.db_table
    holder, waiter = opened("command")["default"], opened("web", DB_LOCK_SECONDS="0.1")["default"]
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"LOCK TABLE {table}")
    with waiter.cursor() as cursor, pytest.raises(OperationalError) as told:
        cursor.execute(f"SELECT 1 FROM {table}")
    assert cannot_serve(told.value)


@on_postgresql
def test_a_request_for_which_no_connection_is_left_is_refused_in_time_and_the_next_one_served(opened):
    handler = opened("web", DB_POOL_MAX="2", DB_POOL_SECONDS="0.2")
    first, second, third = (handler.create_connection("default") for _ in range(3))
    first.ensure_connection()
    second.ensure_connection()
    with pytest.raises(OperationalError) as told:
        third.ensure_connection()
    assert cannot_serve(told.value)
    first.close()
    third.ensure_connection()
    for each in (second, third):
        each.close()


def test_the_tests_themselves_keep_no_pool():
    assert "pool" not in settings.DATABASES["default"].get("OPTIONS", {})
