"""Run in a process of its own with the shop's settings: what the storage takes from Django's own bulk_create."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import time
import uuid
from collections.abc import Iterator

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from shop_reco.events.models import Event  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.users.models import Shopper  # noqa: E402

BATCH = 100
TABLE = Event._meta.db_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--plant", type=int, default=0, help="add so many events, quickly")
    parser.add_argument("--empty", action="store_true", help="leave the log empty")
    options = parser.parse_args()
    told = {"rows_per_s": rows_per_second(options.seconds) if options.seconds else 0}
    if options.empty:
        empty()
    if options.plant:
        plant(options.plant)
    print(json.dumps(told))


def rows_per_second(seconds: float) -> int:
    """Events stored in a second: rows built and written a hundred a transaction, each synced."""
    fresh, stored = events(), 0
    Event.objects.bulk_create([next(fresh)])  # opens the database
    start = time.perf_counter()
    while (lasted := time.perf_counter() - start) < seconds:
        batch = [next(fresh) for _ in range(BATCH)]
        with transaction.atomic():
            Event.objects.bulk_create(batch, ignore_conflicts=True)
        stored += BATCH
    return round(stored / lasted)


def events() -> Iterator[Event]:
    chance = random.Random(uuid.uuid4().hex)
    shoppers = list(Shopper.objects.values_list("pk", flat=True))
    products = list(Product.objects.values_list("pk", flat=True))
    now = dt.datetime.now(dt.UTC)
    while True:
        yield Event(
            id=uuid.UUID(int=chance.getrandbits(128), version=4),
            shopper_id=chance.choice(shoppers),
            product_id=chance.choice(products),
            type=Event.Type.VIEW_ITEM,
            occurred_at=now - dt.timedelta(seconds=chance.randrange(86_400)),
            received_at=now,
            digest=f"{chance.getrandbits(128):032x}",
        )


def empty() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {TABLE}")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute(f"DELETE FROM {TABLE}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def plant(n: int) -> None:
    """Events with random ids, of random shoppers and products, spread over a year; in the order of the ids."""
    shoppers, products = Shopper.objects.count(), Product.objects.count()
    first_shopper, first_product = Shopper.objects.earliest("pk").pk, Product.objects.earliest("pk").pk
    native = connection.vendor == "postgresql"
    each = (
        f"SELECT gen_random_uuid() AS id, {first_shopper} + (random() * {shoppers - 1})::int AS s, "
        f"{first_product} + (random() * {products - 1})::int AS p, "
        f"now() - random() * interval '365 days' AS t FROM generate_series(1, {n})"
        if native
        else f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) "
        f"SELECT lower(hex(randomblob(16))) AS id, {first_shopper} + abs(random()) % {shoppers} AS s, "
        f"{first_product} + abs(random()) % {products} AS p, "
        "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (abs(random()) % 31536000) || ' seconds') AS t FROM n"
    )
    columns = "id, shopper_id, product_id, type, occurred_at, received_at, clock_skewed, channel, " + (
        '"order", quantity, currency, text, query, digest'
    )
    no = "false" if native else "0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} ({columns}) SELECT id, s, p, 'view_item', t, t, {no}, 'web', '', 1, '', '', '', "
            f"'0123456789abcdef0123456789abcdef' FROM ({each}) AS made ORDER BY id"
        )


main()
