"""What it costs to read events cleaned: ``python -m benchmarks.cleaning``, JSON out. The data are made up, seeded.

Fills a database of its own with so many events, once; a second run reuses it. Training reads them all in a process of
its own; memory is what that process grew by. A live history is read again and again, of shoppers with few events,
with as many as count, and with fifty times as many.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.machine import device, fit_peak, in_child, tell

MODULE = "benchmarks.cleaning"
SHOPPERS = {"few": 40, "usual": 1_000, "many": 50_000}
"""Events of the shoppers whose live history is timed."""
READS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        job = json.loads(input())
        set_up(job["events"])
        print(json.dumps(trained() if job["what"] == "training" else read_live()))
        return
    set_up(options.events)
    fill(options.events)
    jobs = {what: {"what": what, "events": options.events} for what in ("training", "live_history")}
    report = {what: in_child(MODULE, job) for what, job in jobs.items()}
    print(json.dumps({"device": device(), "events": options.events, **report}, indent=1))


def set_up(n_events: int) -> None:
    folder = Path("var") / f"bench-cleaning-{n_events}"
    os.environ.setdefault("DEMO_DIR", str(folder.resolve()))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.demo")
    import django

    django.setup()


def fill(n_events: int) -> None:
    """Views, baskets and orders by a Zipf law over 5,000 products; shoppers have 200 events on average."""
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    from shop_reco.events.models import Event
    from shop_reco.products.models import Product
    from shop_reco.products.services import ProductDraft, import_products
    from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers

    if Event.objects.exists():
        return
    tell(f"filling a database with {n_events} events")
    import datetime as dt

    import numpy as np
    from django.utils import timezone

    now, rng = timezone.now(), np.random.default_rng(0)
    drafts = [ProductDraft(sku=f"p{n}", title=f"Product {n}", category=("Shop", f"C{n % 50}")) for n in range(5_000)]
    for start in range(0, len(drafts), 1_000):
        import_products(drafts=drafts[start : start + 1_000])
    names = [*SHOPPERS, *(f"s{n}" for n in range(max(n_events // 200, 1)))]
    people = import_shoppers(rows=[ShopperDraft(external_id=name) for name in names])
    import_consents(
        shopper_ids=list(people.values()), purposes=["personalisation", "training"], source="bench", decided_at=now
    )
    products = np.asarray(sorted(Product.objects.values_list("pk", flat=True)))
    chances = 1.0 / np.arange(1, products.size + 1)
    own = [people[name] for name, n in SHOPPERS.items() for _ in range(n)]
    rest = rng.choice([people[name] for name in names[len(SHOPPERS) :]], max(n_events - len(own), 0)).tolist()
    shoppers = [*own, *rest][: max(n_events, len(own))]
    items = rng.choice(products, len(shoppers), p=chances / chances.sum()).tolist()
    kinds = rng.choice(["view_item", "add_to_cart", "purchase", "refund"], len(shoppers), p=[0.7, 0.15, 0.14, 0.01])
    moments = [now - dt.timedelta(seconds=age) for age in rng.uniform(0, 350 * 86_400, len(shoppers)).tolist()]
    fields = list(Event._meta.local_concrete_fields)
    same = Event(id=uuid.UUID(int=0), shopper_id=0, product_id=0, type="", occurred_at=now, received_at=now, digest="")
    usual = [field.get_db_prep_save(getattr(same, field.attname), connection) for field in fields]
    places = [
        [field.attname for field in fields].index(name)
        for name in ("id", "shopper_id", "product_id", "type", "occurred_at", "price", "order")
    ]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    sql = f"INSERT INTO {Event._meta.db_table} ({names}) VALUES ({', '.join(['%s'] * len(fields))})"
    for start in range(0, len(shoppers), 50_000):
        rows = []
        for n in range(start, min(start + 50_000, len(shoppers))):
            kind, values = str(kinds[n]), list(usual)
            ordered = kind in ("purchase", "refund")
            told = (
                rng.bytes(16).hex(), shoppers[n], items[n], kind, str(moments[n].replace(tzinfo=None)),
                2.5 if ordered else None, f"o{n}" if ordered else "",
            )  # fmt: skip
            for place, value in zip(places, told, strict=True):
                values[place] = value
            rows.append(values)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, rows)


def trained() -> dict[str, Any]:
    from django.utils import timezone

    from shop_reco.events.cleaning import clean_events

    started = time.perf_counter()
    cleaned, peak = fit_peak(lambda: clean_events(until=timezone.now()))
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": None if peak is None else round(peak),
        "rows_in": cleaned.report["rows_in"],
        "interactions": len(cleaned.interactions),
    }


def read_live() -> dict[str, Any]:
    """Milliseconds of one live history, the queries among them."""
    from shop_reco.events.engine import live_history
    from shop_reco.users.models import Shopper

    report = {}
    for name, n_events in SHOPPERS.items():
        shopper_ids = [Shopper.objects.get(external_id=name).pk]
        times = []
        for _ in range(READS):
            started = time.perf_counter()
            live_history(shopper_ids=shopper_ids)
            times.append(1_000 * (time.perf_counter() - started))
        cuts = statistics.quantiles(times, n=100)
        report[f"{n_events} events"] = {"ms_p50": round(cuts[49], 2), "ms_p95": round(cuts[94], 2)}
    return report


if __name__ == "__main__":
    main()
