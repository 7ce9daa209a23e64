"""Migrate while the shop serves: a migration that would have shoppers wait gives way, and is tried again."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

NOT_AVAILABLE = "55P03"
"""PostgreSQL's word for a lock that was not to be had in time."""
LOCKED = "database is locked"
"""How SQLite's begins."""


class Command(BaseCommand):
    help = "Apply the migrations; one that waits too long for a table, or for SQLite, lets go and is tried again."
    requires_system_checks: list[str] = []  # migrate makes its own

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--lock-seconds", type=float, default=0.7, help="how long it may wait for a table (PostgreSQL)"
        )
        parser.add_argument("--tries", type=int, default=30)
        parser.add_argument("--pause", type=float, default=5.0, help="seconds between two tries")

    def handle(self, *args: Any, **options: Any) -> None:
        for left in reversed(range(options["tries"])):
            try:
                self._migrate(options)
                return
            except OperationalError as error:
                if not _in_use(error):
                    raise
                if not left:
                    raise CommandError(
                        f"a table was not to be had in {options['tries']} tries. What was applied stays; see "
                        "who holds it (in PostgreSQL: pg_stat_activity), end that, and run this again"
                    ) from None
                self.stderr.write(f"a table is in use; tried again in {options['pause']:g} s, {left} tries are left")
                time.sleep(options["pause"])

    def _migrate(self, options: dict[str, Any]) -> None:
        """What comes before a migration that fails stays applied, so that a try goes on where the last one was."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{options['lock_seconds']:g}s"])
                cursor.execute("SELECT set_config('statement_timeout', '0', false)")
        call_command("migrate", interactive=False, verbosity=options["verbosity"])


def _in_use(error: OperationalError) -> bool:
    """Whether others had what it waited for, and nothing is wrong with the migration."""
    if getattr(error.__cause__, "sqlstate", "") == NOT_AVAILABLE:
        return True
    return connection.vendor == "sqlite" and str(error).startswith(LOCKED)
