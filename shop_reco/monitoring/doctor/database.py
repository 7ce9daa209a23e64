"""Does the database answer, is it the one that this release wants, and does nobody wait in it for ever?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import DatabaseError, InterfaceError, NotSupportedError, connection
from django.utils import timezone

from shop_reco.conf import reco_settings

from .. import health
from .findings import Finding, failing, ok, skipped, warning

SKEW = 2.0
"""Seconds by which two clocks may differ."""
TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def database_answers() -> Finding:
    """It is reached, and of a version that Django takes."""
    try:
        health.database()
    except (DatabaseError, InterfaceError) as error:
        return failing(
            f"{connection.vendor} does not answer ({type(error).__name__})",
            "Start it, and see that DATABASE_URL names its host, port, database, user and password.",
        )
    version = ".".join(map(str, connection.get_database_version()))
    try:
        connection.check_database_version_supported()
    except NotSupportedError:
        return failing(
            f"{connection.display_name} {version} is too old", "Upgrade it to a version that Django supports."
        )
    return ok(f"{connection.display_name} {version}")


def migrations_are_applied() -> Finding:
    missing = health.missing_migrations()
    if not missing:
        return ok("all are applied")
    told = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return failing(f"not applied: {told}", "Run: manage.py shop_reco_migrate")


def waiting_is_limited() -> Finding:
    """In PostgreSQL nobody waits for ever; SQLite writes ahead, and syncs what is acknowledged."""
    if connection.vendor == "postgresql":
        return _limits_of_the_session()
    if connection.vendor == "sqlite":
        return _pragmas()
    return skipped(f"nothing is known of {connection.vendor}")


def _limits_of_the_session() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(TIMEOUTS)])
        limits: Mapping[str, str] = dict(cursor.fetchall())
    told = ", ".join(f"{name} {int(limits[name]) / 1000:g} s" for name in TIMEOUTS)
    without = [name for name in TIMEOUTS[1:] if limits[name] == "0"]
    if without:
        return warning(
            f"no {without[0]}: {told}",
            "Have sessions start with limits: DB_LOCK_SECONDS and DB_IDLE_SECONDS, or in a project of your own "
            'DATABASES["default"]["OPTIONS"]["options"] = "-c lock_timeout=2s '
            '-c idle_in_transaction_session_timeout=10s".',
        )
    return ok(told)


def _pragmas() -> Finding:
    with connection.cursor() as cursor:
        journal = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    told = f"journal_mode {journal}, synchronous {synchronous}"
    if journal not in ("wal", "memory"):
        return failing(
            told, "Start the connection with PRAGMA journal_mode=WAL: else readers and writers wait for each other."
        )
    if synchronous < 2:
        return warning(
            told, "Start the connection with PRAGMA synchronous=FULL: else a power cut loses what was acknowledged."
        )
    return ok(told)


def tables_are_tended() -> Finding:
    """PostgreSQL knows by itself how its tables grew: without, it reads whole tables for a few rows of them."""
    if connection.vendor != "postgresql":
        return ok(f"{connection.display_name} has nothing of the kind")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name IN ('autovacuum', 'track_counts') AND setting = 'off'")
        off = sorted(name for (name,) in cursor.fetchall())
    if off:
        return warning(
            f"{' and '.join(off)} off",
            f"ALTER SYSTEM SET {off[0]} = on; SELECT pg_reload_conf(); then ANALYZE once, "
            "or run VACUUM ANALYZE on a schedule of your own.",
        )
    return ok("autovacuum is on")


def clocks_agree() -> Finding:
    """The clock of the database, by which leases are counted, and that of this machine, by which events are dated."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            told: dt.datetime = cursor.fetchone()[0]
        else:
            cursor.execute("SELECT CURRENT_TIMESTAMP")
            told = dt.datetime.fromisoformat(str(cursor.fetchone()[0])).replace(tzinfo=dt.UTC)
    skew = abs((timezone.now() - told).total_seconds())
    grain = 0.0 if connection.vendor == "postgresql" else 1.0
    found = f"{skew:.1f} s between the clock of the database and this machine's"
    advice = "Set both clocks by NTP, then start the processes again."
    if skew > reco_settings().LEASE:
        return failing(found, advice)
    return warning(found, advice) if skew > SKEW + grain else ok(found)
