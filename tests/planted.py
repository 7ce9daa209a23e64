"""What a costly fixture left in the database and on disk, kept for the tests after it and put back in a moment."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""Of each table: its columns, and its rows as the database has them."""


def all_rows() -> Rows:
    found: Rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = ([column[0] for column in cursor.description], list(cursor.fetchall()))
    return found


@dataclass(frozen=True)
class Planted:
    """All rows after a fixture, and a copy of the folder that it filled."""

    rows: Rows
    folder: Path

    @classmethod
    def of(cls, folder: Path, *, kept: Path) -> Planted:
        """``folder`` is copied to ``kept``."""
        shutil.copytree(folder, kept)
        return cls(all_rows(), kept)

    def put_back(self, folder: Path) -> None:
        quote = connection.ops.quote_name
        with transaction.atomic(), connection.cursor() as cursor:
            there = all_rows()
            changed = {table: kept for table, kept in self.rows.items() if kept != there[table]}
            for table in changed:
                cursor.execute(f"DELETE FROM {quote(table)}")
            for table, (columns, rows) in changed.items():
                places = ", ".join(["%s"] * len(columns))
                cursor.executemany(
                    f"INSERT INTO {quote(table)} ({', '.join(map(quote, columns))}) VALUES ({places})", rows
                )
            for statement in connection.ops.sequence_reset_sql(no_style(), _models_of(changed)):
                cursor.execute(statement)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)


def _models_of(tables: Rows) -> list[type[models.Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in tables]
