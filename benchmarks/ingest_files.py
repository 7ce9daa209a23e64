"""Files into the shop: ``python -m benchmarks.ingest_files``, JSON out.

Rows a second from CSV, JSON Lines and Parquet, as a share of F: Django's own ``bulk_create`` of such rows, a hundred
a transaction, measured just before and just after in the same process (the quicker one counts), on SQLite
(synchronous=FULL) and on PostgreSQL where ``--postgres`` or TEST_DATABASE_URL names one. Peak memory is what the
process grows by while it imports, at one length and at four times that: all of it, with the pages of the database file
that SQLite maps and caches (bounded by the settings of its connection), and of it what is not mapped from a file, as
seen after each batch. Then the lines of The Complete Journey, made a CSV.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import device, fit_peak, in_child, tell, tried

FORMATS = ("csv", "jsonl", "parquet")
N_PRODUCTS, N_SHOPPERS = 1000, 2000
FLOOR_ROWS, FLOOR_BATCH = 20_000, 100
COLUMNS = ("shopper", "sku", "type", "occurred_at", "quantity", "price", "currency", "order", "channel")
TIMES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--postgres", default=os.environ.get("TEST_DATABASE_URL", ""), help="URL of a server")
    parser.add_argument("--journey-lines", type=int, help="the last so many lines of it (default: all)")
    parser.add_argument("--no-journey", action="store_true", help="without The Complete Journey")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(KINDS[(job := json.load(sys.stdin))["kind"]](job)))
        return
    print(json.dumps({"device": device(), **files(options)}, indent=1))


def files(options: argparse.Namespace) -> dict[str, Any]:
    """All figures; ``options`` may have ``rows``, ``postgres`` and ``no_journey``."""
    rows = getattr(options, "rows", 100_000)
    postgres = getattr(options, "postgres", None) or os.environ.get("TEST_DATABASE_URL", "")
    servers = {"sqlite": ""} | ({"postgresql": postgres} if postgres else {})
    report: dict[str, Any] = {"rows": rows, "floor": f"bulk_create, {FLOOR_BATCH} rows a transaction"}
    with tempfile.TemporaryDirectory() as folder:
        for database, server in servers.items():
            report[database] = {}
            for name in FORMATS:
                work = partial(lengths, name, rows, server, folder)
                report[database][name] = tried(f"{database} {name}", work)
        if not getattr(options, "no_journey", False):
            path = Path(folder) / "journey.csv"
            report["complete_journey"] = {
                "file": child(
                    {"kind": "write_journey", "path": str(path), "most": getattr(options, "journey_lines", None)}
                )
            }
            for database, server in servers.items():
                tell(f"  {database} The Complete Journey")
                report["complete_journey"][database] = child({"kind": "journey", "path": str(path), "server": server})
    return report


def lengths(name: str, rows: int, server: str, folder: str) -> dict[str, Any]:
    """One format on one database, at one length and at four times that."""
    found: dict[str, Any] = {}
    for n in (rows, TIMES * rows):
        path = Path(folder) / f"orders-{n}.{name}"
        if not path.exists():
            WRITERS[name](path, made_up(n))
        found[f"{n}"] = child({"kind": "speed", "path": str(path), "rows": n, "server": server})
        tell(f"    {found[f'{n}']}")
    return found


def child(job: dict[str, Any]) -> dict[str, Any]:
    return in_child("benchmarks.ingest_files", job)


def made_up(n: int) -> Iterator[dict[str, Any]]:
    """Purchases of a bounded number of shoppers, in the order of time."""
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(seconds=60 + 2 * n)
    for k in range(n):
        yield dict(zip(COLUMNS, (
            f"shopper-{k * 7 % N_SHOPPERS}", f"sku-{k * 13 % N_PRODUCTS}", "purchase",
            (start + dt.timedelta(seconds=2 * k)).isoformat(), 1 + k % 3, f"{1 + k % 90}.50", "EUR",
            f"o{k // 4}", "store",
        ), strict=True))  # fmt: skip


def write_csv(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(COLUMNS)
        table.writerows(row.values() for row in rows)


def write_jsonl(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w") as out:
        out.writelines(f"{json.dumps(row)}\n" for row in rows)


def write_parquet(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path, row_group_size=50_000)


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


@contextmanager
def database(server: str) -> Iterator[None]:
    """An empty shop on a database of its own: a SQLite file, or a new one on the server."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop_reco.settings.test"
    os.environ.pop("TEST_DATABASE_URL", None)
    import django
    from django.core.management import call_command

    if not server:
        django.setup()
        call_command("migrate", verbosity=0)
        yield
        return
    import psycopg

    name = f"bench_files_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            os.environ["TEST_DATABASE_URL"] = f"{server.rsplit('/', 1)[0]}/{name}"
            django.setup()
            call_command("migrate", verbosity=0)
            yield
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Anonymous:
    """MB of memory that no file backs, above what it was at first: the most that was seen."""

    def __init__(self) -> None:
        self.before, self.most = self.now(), 0.0

    def __call__(self, read: int, share: float) -> None:
        self.most = max(self.most, self.now() - self.before)

    def now(self) -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024


def speed(job: dict[str, Any]) -> dict[str, Any]:
    with database(job["server"]):
        from shop_reco.events.imports import EventFile, import_event_file
        from shop_reco.events.models import Event
        from shop_reco.products.services import ProductDraft, import_products

        import_products(drafts=[ProductDraft(sku=f"sku-{n}", title=f"Thing {n}") for n in range(N_PRODUCTS)])
        floors = [floor()]
        file = EventFile(path=Path(job["path"]), source="till", purposes=("training",))
        if job["path"].endswith(".parquet"):
            import pyarrow.parquet  # noqa: F401  its own size is not the import's
        start, anonymous = time.perf_counter(), Anonymous()
        report, peak = fit_peak(lambda: import_event_file(file=file, progress=anonymous))
        took = time.perf_counter() - start
        assert report.new == job["rows"] == Event.objects.count(), report
        Event.objects.all()._raw_delete("default")
        floors.append(floor())
    best = max(floors)
    return {
        "rows_per_s": round(report.new / took), "floor_rows_per_s": [round(each) for each in floors],
        "of_floor": round(report.new / took / best, 3), "seconds": round(took, 1),
        "peak_mb": peak and round(peak, 1), "of_it_no_file": round(anonymous.most, 1),
    }  # fmt: skip


def floor() -> float:
    """Rows a second of bulk_create, for rows like those of the file; the table is as empty after as before."""
    from decimal import Decimal

    from shop_reco.events.models import Event
    from shop_reco.products.models import Product
    from shop_reco.users.services import ensure_shoppers

    people = ensure_shoppers(external_ids=[f"shopper-{n}" for n in range(N_SHOPPERS)])
    products = dict(Product.objects.values_list("sku", "pk"))
    rows = list(made_up(FLOOR_ROWS))
    now = dt.datetime.now(dt.UTC)
    start = time.perf_counter()
    for first in range(0, FLOOR_ROWS, FLOOR_BATCH):
        events = [
            Event(
                id=uuid.uuid4(), shopper_id=people[row["shopper"]], product_id=products[row["sku"]], type=row["type"],
                occurred_at=now, received_at=now, quantity=row["quantity"], price=Decimal(row["price"]),
                currency=row["currency"], order=row["order"], channel=row["channel"], digest="0" * 32,
            )
            for row in rows[first : first + FLOOR_BATCH]
        ]  # fmt: skip
        Event.objects.bulk_create(events, ignore_conflicts=True)
    took = time.perf_counter() - start
    Event.objects.all()._raw_delete("default")
    return FLOOR_ROWS / took


def write_journey(job: dict[str, Any]) -> dict[str, Any]:
    """The lines that the demo imports, as the CSV that a till would give; and their products."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop_reco.settings.test"
    import django

    django.setup()
    from shop_reco.storefront.demo import completejourney as journey

    tables = journey.load()
    sold = journey.goods(tables["products"])
    lines = journey.purchases(tables["transactions"], sold)[-job["most"] if job["most"] else 0 :]
    last = lines["transaction_timestamp"].max().to_pydatetime().replace(tzinfo=dt.UTC)
    shift = dt.timedelta(weeks=journey.shift_weeks(last, dt.datetime.now(dt.UTC)))
    path = Path(job["path"])
    with path.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(("household", "product", "at", "quantity", "price", "basket"))
        for row in lines.itertuples(index=False):
            at = row.transaction_timestamp.to_pydatetime().replace(tzinfo=dt.UTC) + shift
            price = round(row.sales_value / row.quantity, 2)
            table.writerow((row.household_id, row.product_id, at.isoformat(), row.quantity, price, row.basket_id))
    with path.with_name("products.csv").open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(("sku", "title", "category", "brand", "price", "visible"))
        for draft in journey.product_drafts(sold, lines):
            table.writerow((draft.sku, draft.title, ">".join(draft.category), draft.brand, draft.price, draft.visible))
    return {"lines": len(lines), "products": len(sold), "mb": round(path.stat().st_size / 2**20, 1)}


def journey(job: dict[str, Any]) -> dict[str, Any]:
    with database(job["server"]):
        from shop_reco.events.imports import EventFile, import_event_file
        from shop_reco.events.rows import FIELDS
        from shop_reco.products.imports import ProductFile, import_product_file
        from shop_reco.tables.fields import Fields

        path = Path(job["path"])
        start = time.perf_counter()
        products, products_peak = fit_peak(
            lambda: import_product_file(file=ProductFile(path=path.with_name("products.csv")))
        )
        products_took = time.perf_counter() - start
        columns = {"household": "shopper", "product": "sku", "at": "occurred_at", "basket": "order"}
        constants = {"type": "purchase", "channel": "store", "currency": "USD"}
        file = EventFile(
            path=path,
            source="completejourney",
            fields=Fields(known=FIELDS, mapped=columns, constants=constants),
            purposes=("personalisation", "training", "analytics"),
        )
        start, anonymous = time.perf_counter(), Anonymous()
        report, peak = fit_peak(lambda: import_event_file(file=file, progress=anonymous))
        took = time.perf_counter() - start
    return {
        "products": {
            "taken": products.taken, "rejected": products.rejected, "seconds": round(products_took, 1),
            "peak_mb": products_peak and round(products_peak, 1),
        },
        "events": {
            "read": report.read, "new": report.new, "duplicates": report.duplicates, "rejected": report.rejected,
            "seconds": round(took, 1), "rows_per_s": round(report.read / took), "peak_mb": peak and round(peak, 1),
            "of_it_no_file": round(anonymous.most, 1),
        },
    }  # fmt: skip


KINDS = {"speed": speed, "write_journey": write_journey, "journey": journey}

if __name__ == "__main__":
    main()
