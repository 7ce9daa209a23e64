"""Writing past every check, as a hand at the database's own prompt can."""

from __future__ import annotations

from django.db import connection

from shop_reco.events.models import Event
from shop_reco.products.models import Product


def plant(sql, *values):
    """Run ``sql`` with the check constraints of events and products out of the way."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute(sql, values)
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
            return
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table that a foreign key waits for cannot be altered
        for table in (Event._meta.db_table, Product._meta.db_table):
            cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(sql, values)
