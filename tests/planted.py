"""What a costly fixture left in the database and on disk, kept for the tests after it and put back in a moment."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

Row = tuple[Any, ...]
Tables = dict[type[models.Model], dict[str, Row]]
"""The rows of each table as the database has them, by what they say."""


def all_rows() -> Tables:
    found: Tables = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                cursor.execute(f"SELECT {_columns(model)} FROM {connection.ops.quote_name(model._meta.db_table)}")
                found[model] = {repr(row): row for row in cursor.fetchall()}
    return found


@dataclass(frozen=True)
class Planted:
    """The rows that a fixture made, changed and deleted, with their keys, and a copy of the folder that it filled."""

    made: dict[type[models.Model], list[Row]]
    gone: dict[type[models.Model], list[Row]]
    folder: Path | None

    @classmethod
    def since(cls, before: Tables, folder: Path | None = None, *, kept: Path | None = None) -> Planted:
        """``before``: all rows as they were; ``folder`` is copied to ``kept``."""
        if folder and kept:
            shutil.copytree(folder, kept)
        after = all_rows()
        made = {
            model: [row for name, row in rows.items() if name not in before[model]] for model, rows in after.items()
        }
        gone = {
            model: [row for name, row in rows.items() if name not in after[model]] for model, rows in before.items()
        }
        some = [model for model in after if made[model] or gone[model]]
        return cls({model: made[model] for model in some}, {model: gone[model] for model in some}, kept)

    def put_back(self, folder: Path | None = None) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for model, rows in self.made.items():
                table, key = map(connection.ops.quote_name, (model._meta.db_table, model._meta.pk.column))
                place = [field.column for field in model._meta.concrete_fields].index(model._meta.pk.column)
                keys = {row[place]: None for row in (*rows, *self.gone[model])}
                cursor.executemany(f"DELETE FROM {table} WHERE {key} = %s", [(each,) for each in keys])
                places = ", ".join(["%s"] * len(model._meta.concrete_fields))
                cursor.executemany(f"INSERT INTO {table} ({_columns(model)}) VALUES ({places})", rows)
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self.made)):
                cursor.execute(statement)
        if folder and self.folder:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)


def _columns(model: type[models.Model]) -> str:
    return ", ".join(connection.ops.quote_name(field.column) for field in model._meta.concrete_fields)
