"""Operations for migrations of large tables, which shoppers go on writing to meanwhile."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations import AddIndex, RemoveIndex


class AddIndexWhileServing(AddIndex):
    """Builds an index beside the writes in PostgreSQL; elsewhere as AddIndex does.

    Its migration says ``atomic = False`` and holds nothing else. One that was broken off left an index that is not
    valid, which nobody uses and each write keeps up: it is dropped first.
    """

    reduces_to_sql = True

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql" or not self.allow_migrate_model(
            schema_editor.connection.alias, model
        ):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        with _Patient(schema_editor):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
            schema_editor.add_index(model, self.index, concurrently=True)


class RemoveIndexWhileServing(RemoveIndex):
    """Drops an index beside the writes in PostgreSQL; elsewhere as RemoveIndex does. ``atomic = False`` here, too."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        with _Patient(schema_editor):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.name)}")


class _Patient:
    """Without a limit on waiting: nobody waits behind these, and one that gives up leaves half an index."""

    def __init__(self, schema_editor: Any) -> None:
        self.schema_editor, self.limit = schema_editor, "0"

    def __enter__(self) -> None:
        if not self.schema_editor.collect_sql:
            with self.schema_editor.connection.cursor() as cursor:
                cursor.execute("SHOW lock_timeout")
                (self.limit,) = cursor.fetchone()
        self.schema_editor.execute("SET lock_timeout = 0")

    def __exit__(self, *error: Any) -> None:
        self.schema_editor.execute(f"SET lock_timeout = '{self.limit}'")
