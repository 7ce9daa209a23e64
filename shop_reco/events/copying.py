"""Many events into the table at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from operator import attrgetter

from django.db import connections, router

from .drafts import EventDraft
from .models import Event

BATCH = 1000  # rows a statement, where the database has no COPY


def insert_events(*, drafts: Sequence[EventDraft], received_at: dt.datetime) -> None:
    """Store events whose ids are not stored yet, in the transaction at hand.

    PostgreSQL takes them by COPY straight into the table: what is stored already was looked up in the same
    transaction, so that a clash means another writer came in between, and the whole batch is looked at again.

    Raises:
        IntegrityError: If an id is stored already, or a shopper or product is gone; on PostgreSQL the latter at commit.
    """
    connection = connections[router.db_for_write(Event)]
    if not drafts:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and hasattr(cursor.cursor, "copy"):
            fields = Event._meta.concrete_fields
            values = attrgetter(*(str(each.attname) for each in fields))
            names = ", ".join(connection.ops.quote_name(str(each.column)) for each in fields)
            table = connection.ops.quote_name(Event._meta.db_table)
            with connection.wrap_database_errors, cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for draft in drafts:
                    copy.write_row(values(draft.event(received_at=received_at)))
            return
    Event.objects.bulk_create([draft.event(received_at=received_at) for draft in drafts], batch_size=BATCH)
