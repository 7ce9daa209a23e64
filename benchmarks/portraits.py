"""Drawing portraits: ``python -m benchmarks.portraits``, JSON out.

The engine draws the purchases of the Complete Journey data, repeated up to a number of events, and says how many
bytes the portrait of each household takes as it is stored. No database: reading the rows is not measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.machine import device, tell
from reco_engine.portrait.builder import draw
from reco_engine.portrait.grains import PortraitEvent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--zone", default="America/New_York")
    options = parser.parse_args()
    tell("reading the data")
    households = events_by_household()
    tell(f"drawing {options.events} events")
    drawn, sizes, began, cpu = 0, [], time.perf_counter(), time.process_time()
    while drawn < options.events:
        for events in households:
            portrait = draw(events, zone=options.zone)
            drawn += len(events)
            if len(sizes) < len(households):
                sizes.append(len(json.dumps(portrait.to_json(), separators=(",", ":")).encode()))
            if drawn >= options.events:
                break
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    lengths = np.asarray([len(events) for events in households])
    found = {
        "device": device(),
        "events": drawn,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "cpu_microseconds_an_event": round(1e6 * cpu / drawn, 2),
        "households": len(households),
        "events_of_a_household": percentiles(lengths),
        "bytes_of_a_portrait": percentiles(np.asarray(sizes)),
    }
    print(json.dumps(found, indent=1))


def percentiles(values: np.ndarray) -> dict[str, float]:
    return {f"p{share}": float(np.percentile(values, share)) for share in (50, 99, 100)}


def events_by_household() -> list[list[PortraitEvent]]:
    """Each household's purchases as portraits take them, under the names that the demo gives its products."""
    from shop_reco.storefront.demo import completejourney as journey

    tables = journey.load()
    sold = journey.goods(tables["products"])
    lines = journey.purchases(tables["transactions"], sold)
    products = {draft.sku: draft for draft in journey.product_drafts(sold, lines)}
    households: dict[int, list[PortraitEvent]] = {}
    for row in lines.itertuples(index=False):
        product = products[str(row.product_id)]
        households.setdefault(int(row.household_id), []).append(
            PortraitEvent(
                type="purchase",
                occurred_at=int(row.transaction_timestamp.replace(tzinfo=dt.UTC).timestamp()),
                category=product.category,
                brand=product.brand,
                text=product.title,
                quantity=int(row.quantity),
                amount=round(100 * row.sales_value),
                currency="USD",
                channel="store",
                order=str(row.basket_id),
            )
        )
    return list(ordered(households))


def ordered(households: dict[int, list[PortraitEvent]]) -> Iterator[list[PortraitEvent]]:
    for household in sorted(households):
        yield households[household]


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.test")
    django.setup()
    main()
