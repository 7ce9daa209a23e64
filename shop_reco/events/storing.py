"""The statements of ingestion that Django would write a row at a time, or could not write at all.

Two calls never wait for each other in a circle: each locks shoppers first, then inserts events, then marks
shoppers, and each of these in the order of the keys.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from shop_reco.among import one_of
from shop_reco.users.models import Shopper

from .drafts import EventDraft
from .models import DirtyShopper, Event

LOCK_TIMEOUT = 5
"""Seconds that a write waits for another one where the connection has no limit of its own, as SQLite's has."""

CHUNK = 500
COPIED = 1000
"""Events from which on they go to PostgreSQL by COPY."""
COLUMNS = (
    "id", "shopper_id", "product_id", "type", "occurred_at", "received_at", "clock_skewed", "channel", "order",
    "quantity", "price", "currency", "rating", "text", "query", "slate_id", "digest",
)  # fmt: skip


Rows = Sequence[tuple[Any, ...]]


def hold(shopper_ids: Collection[int]) -> None:
    """Keep the shoppers from being erased, or from deciding on consent, until the transaction ends.

    Whoever does either locks the shopper's row first. SQLite has one writer at a time anyway.
    """
    if connection.vendor != "postgresql" or not shopper_ids:
        return
    table = connection.ops.quote_name(Shopper._meta.db_table)
    with connection.cursor() as cursor:
        if not connection.savepoint_ids:  # else the transaction is the shop's own, and so are its limits
            limit = f"set_config('lock_timeout', '{LOCK_TIMEOUT}s', true)"
            cursor.execute(f"SELECT {limit} WHERE current_setting('lock_timeout') = '0'")
        cursor.execute(
            f"SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",  # noqa: S608
            [sorted(shopper_ids)],
        )


def stored_digests(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Digests by id of those events that are stored already; one query for each 500."""
    stored: dict[uuid.UUID, str] = {}
    native, table = connection.features.has_native_uuid_field, connection.ops.quote_name(Event._meta.db_table)
    with connection.cursor() as cursor:
        for start in range(0, len(ids), CHUNK):
            chunk = [event_id if native else event_id.hex for event_id in ids[start : start + CHUNK]]
            condition, values = one_of(chunk, connection)
            cursor.execute(f"SELECT id, digest FROM {table} WHERE id {condition}", values)  # noqa: S608
            stored |= {found if native else uuid.UUID(found): digest for found, digest in cursor.fetchall()}
    return stored


def insert_events(drafts: Sequence[tuple[EventDraft, str]], *, received_at: dt.datetime) -> set[uuid.UUID]:
    """Insert events, each with its digest, whose ids nobody has taken meanwhile; returns the ids inserted."""
    rows = sorted(_rows(drafts, received_at))
    if not rows:
        return set()
    quote = connection.ops.quote_name
    table, columns = quote(Event._meta.db_table), ", ".join(quote(name) for name in COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            fresh = _copied if len(rows) >= COPIED else _as_arrays
            with fresh(cursor, rows) as (source, values):
                cursor.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source} "  # noqa: S608
                    f"ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING id",
                    values,
                )
                return {event_id for (event_id,) in cursor.fetchall()}
        # The one writer has looked already: an id cannot have been taken since.
        places = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608
    return {draft.id for draft, _ in drafts}


@contextmanager
def _as_arrays(cursor: Any, rows: Rows) -> Iterator[tuple[str, Sequence[Any] | None]]:
    """The rows as what a statement selects from, within it: an array for each column."""
    columns = ", ".join(connection.ops.quote_name(name) for name in COLUMNS)
    arrays = ", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in COLUMNS)
    yield f"unnest({arrays}) AS fresh ({columns})", [list(column) for column in zip(*rows, strict=True)]


@contextmanager
def _copied(cursor: Any, rows: Rows) -> Iterator[tuple[str, Sequence[Any] | None]]:
    """The same in a table of this session: half of the processor time for thousands of rows, and dearer for a hundred.

    The table goes with the transaction, in which nobody else sees it.
    """
    quote = connection.ops.quote_name
    name, columns = quote("reco_fresh_events"), ", ".join(quote(column) for column in COLUMNS)
    cursor.execute(f"CREATE TEMPORARY TABLE {name} (LIKE {quote(Event._meta.db_table)}) ON COMMIT DROP")
    with connection.wrap_database_errors, cursor.copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([TYPES.get(column, "text") for column in COLUMNS])
        for row in rows:
            copy.write_row(row)
    yield name, None
    cursor.execute(f"DROP TABLE {name}")


TYPES = {
    "id": "uuid",
    "shopper_id": "bigint",
    "product_id": "bigint",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
    "clock_skewed": "boolean",
    "quantity": "integer",
    "price": "numeric",
    "rating": "double precision",
    "slate_id": "uuid",
}


def _rows(drafts: Sequence[tuple[EventDraft, str]], received_at: dt.datetime) -> Iterator[tuple[Any, ...]]:
    """The values of the columns as the database's driver takes them."""
    native, moment = connection.features.has_native_uuid_field, connection.ops.adapt_datetimefield_value
    price = Event._meta.get_field("price")
    received = moment(received_at)
    for draft, digest in drafts:
        slate_id = draft.slate_id
        yield (
            draft.id if native else draft.id.hex,
            draft.shopper_id,
            draft.product_id,
            draft.type,
            moment(draft.occurred_at),
            received,
            draft.clock_skewed,
            draft.channel,
            draft.order,
            draft.quantity,
            None if draft.price is None else price.get_db_prep_save(draft.price, connection),
            draft.currency,
            draft.rating,
            draft.text,
            draft.query,
            slate_id if native or slate_id is None else slate_id.hex,
            digest,
        )


def mark_dirty(shopper_ids: Collection[int]) -> None:
    """Note that there is news of these shoppers; those who are gone are passed over.

    A mark that is made anew counts on from the clock: two sweeps at once must not take it for the one that the
    other has just cleared.
    """
    quote = connection.ops.quote_name
    table, shoppers = quote(DirtyShopper._meta.db_table), quote(Shopper._meta.db_table)
    ordered, start_at = sorted(shopper_ids), time.time_ns()
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), CHUNK):
            condition, values = one_of(ordered[start : start + CHUNK], connection)
            cursor.execute(
                f"INSERT INTO {table} (shopper_id, marks) SELECT id, %s FROM {shoppers} "  # noqa: S608
                f"WHERE id {condition} ORDER BY id "
                f"ON CONFLICT (shopper_id) DO UPDATE SET marks = {table}.marks + 1",
                [start_at, *values],
            )
