"""The statements of ingestion that Django would write a row at a time, or could not write at all.

Two calls never wait for each other in a circle: each locks shoppers first, then inserts events, then marks
shoppers, and each of these in the order of the keys.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import connection

from shop_reco.users.models import Shopper

from .drafts import EventDraft
from .models import DirtyShopper, Event

LOCK_TIMEOUT = 5
"""Seconds that a write waits for another one; SQLite's limit is in its connection's options."""

CHUNK = 500
COLUMNS = (
    "id", "shopper_id", "product_id", "type", "occurred_at", "received_at", "clock_skewed", "channel", "order",
    "quantity", "price", "currency", "rating", "text", "query", "slate_id", "digest",
)  # fmt: skip


def hold(shopper_ids: Collection[int]) -> None:
    """Keep the shoppers from being erased, or from deciding on consent, until the transaction ends.

    Whoever does either locks the shopper's row first. SQLite has one writer at a time anyway.
    """
    if connection.vendor != "postgresql" or not shopper_ids:
        return
    table = connection.ops.quote_name(Shopper._meta.db_table)
    with connection.cursor() as cursor:
        if not connection.savepoint_ids:  # else the transaction is the shop's own, and so are its limits
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'")
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
            places = ", ".join(["%s"] * len(chunk))
            cursor.execute(f"SELECT id, digest FROM {table} WHERE id IN ({places})", chunk)  # noqa: S608
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
            arrays = ", ".join(f"%s::{ARRAYS.get(name, 'text')}[]" for name in COLUMNS)
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) AS fresh ({columns}) "  # noqa: S608
                f"ORDER BY 1 ON CONFLICT (id) DO NOTHING RETURNING id",
                [list(column) for column in zip(*rows, strict=True)],
            )
            return {event_id for (event_id,) in cursor.fetchall()}
        # The one writer has looked already: an id cannot have been taken since.
        places = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608
    return {draft.id for draft, _ in drafts}


ARRAYS = {
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
            chunk = ordered[start : start + CHUNK]
            cursor.execute(
                f"INSERT INTO {table} (shopper_id, marks) SELECT id, %s FROM {shoppers} "  # noqa: S608
                f"WHERE id IN ({', '.join(['%s'] * len(chunk))}) ORDER BY id "
                f"ON CONFLICT (shopper_id) DO UPDATE SET marks = {table}.marks + 1",
                [start_at, *chunk],
            )
