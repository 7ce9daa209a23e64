"""Run in a process of its own with the shop's settings: plants a made-up shop, and trains its recommenders.

Shoppers take products of their own cluster, the first ones most, and some of what everybody takes. A few have long
histories: those are the ones who ask for lists. Seeded, but for the moments, which count back from now.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402

from shop_reco.events.models import Event  # noqa: E402
from shop_reco.products.models import Brand, CatalogueState, Category, Product  # noqa: E402
from shop_reco.recommendations.models import TrainingRun  # noqa: E402
from shop_reco.recommendations.services import cancel_run, request_training  # noqa: E402
from shop_reco.recommendations.training import work_off  # noqa: E402
from shop_reco.users.models import ApiKey, Consent, Shopper  # noqa: E402
from shop_reco.users.services import issue_key  # noqa: E402

from .serving_shop import COHORTS  # noqa: E402

EACH, MOST_ACTIVE = 20, 100_000
"""Events of a shopper in the background, and how many of those have any."""
CLUSTER = 250
OWN = 0.7
"""Share of what a shopper takes that is of their cluster."""
DAYS = 180
TYPES, SHARES = ("view_item", "add_to_cart", "purchase"), (0.6, 0.15, 0.25)
Places = npt.NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=0)
    parser.add_argument("--train", default="", help="kinds, comma separated")
    parser.add_argument("--end-trainings", action="store_true", help="cancel those that were left unfinished")
    options = parser.parse_args()
    told: dict[str, Any] = {}
    if options.products:
        told["key"] = plant(options.products)
    for kind in filter(None, options.train.split(",")):
        run = request_training(kind=kind)
        work_off()
        run.refresh_from_db()
        assert run.state == TrainingRun.State.DONE, f"{kind}: {run.why}"
        told[kind] = round((run.finished_at - run.started_at).total_seconds(), 1)  # type: ignore[operator]
    if options.end_trainings:
        call_command("migrate", verbosity=0)  # planted by an earlier version, perhaps
        for run in TrainingRun.objects.filter(state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING]):
            cancel_run(run=run)
    print(json.dumps(told))


def plant(n_products: int) -> str:
    """As many shoppers as products, and those of the cohorts; returns an API key."""
    call_command("migrate", verbosity=0)
    Path(settings.SHOP_RECO["ARTIFACTS_ROOT"]).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(n_products)
    with transaction.atomic():
        plant_products(n_products, rng)
        names = [f"s{n}" for n in range(n_products)] + [f"h{n}-{k}" for n, size in COHORTS.items() for k in range(size)]
        plant_shoppers(names, n_products, rng)
        active = np.arange(1, min(n_products, MOST_ACTIVE) + 1)
        asking = np.arange(n_products + 1, len(names) + 1)
        sizes = np.concatenate([np.full(active.size, EACH), np.repeat(list(COHORTS), list(COHORTS.values()))])
        plant_events(np.repeat(np.concatenate([active, asking]), sizes), n_products, rng)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return issue_key(name="benchmark", scopes=ApiKey.Scope.values)[1]


def plant_products(n: int, rng: np.random.Generator) -> None:
    shelves = min(400, max(n // 50, 8))
    roots = [Category(name=f"Floor {k}", path=f"Floor {k}", slug=f"floor-{k}") for k in range(max(shelves // 10, 1))]
    Category.objects.bulk_create(roots)
    path = "{} > Shelf {}"
    leaves = [
        Category(name=f"Shelf {k}", parent=root, path=path.format(root.path, k), slug=f"shelf-{k}")
        for k in range(shelves)
        for root in [roots[k % len(roots)]]
    ]
    leaves = Category.objects.bulk_create(leaves)
    brands = Brand.objects.bulk_create([Brand(name=f"Brand {k}") for k in range(min(2000, max(n // 20, 5)))])
    words = ["".join(rng.choice(list("abcdefghiklmnoprstu"), 6)) for _ in range(3000)]
    drawn = rng.integers(0, len(words), (n, 3)).tolist()
    clusters = (np.arange(n) // CLUSTER).tolist()
    fill(
        Product, n, id=range(1, n + 1), public_id=uuids(n, rng), sku=(f"p{k}" for k in range(n)),
        title=(" ".join(words[k] for k in some) for some in drawn),
        category_id=(leaves[k % shelves].pk for k in clusters),
        brand_id=(brands[k].pk for k in rng.integers(0, len(brands), n)),
        price=(f"{price:.2f}" for price in rng.lognormal(2.0, 1.0, n)), currency=repeat("USD"),
        attributes=repeat("{}"), revision=repeat(1), created_at=repeat(_now()), updated_at=repeat(_now()),
    )  # fmt: skip
    CatalogueState.objects.update_or_create(pk=1, defaults={"revision": 1})


def plant_shoppers(names: list[str], n_background: int, rng: np.random.Generator) -> None:
    """All of them allow training, those who ask for lists everything."""
    n = len(names)
    ids = range(1, n + 1)
    fill(Shopper, n, id=ids, public_id=uuids(n, rng), external_id=names, created_at=repeat(_now()))
    for purpose in Consent.Purpose.values:
        some = ids if purpose == Consent.Purpose.TRAINING else ids[n_background:]
        fill(
            Consent, len(some), shopper_id=some, purpose=repeat(purpose), granted=repeat(True),
            source=repeat("benchmark"), decided_at=repeat(_now(dt.timedelta(days=DAYS + 1))),
        )  # fmt: skip


def plant_events(shoppers: Places, n_products: int, rng: np.random.Generator) -> None:
    n, clusters = shoppers.size, max(min(n_products // CLUSTER, 400), 10)
    width = min(CLUSTER, n_products // clusters)
    own = (shoppers % clusters) * width + (width * rng.random(n) ** 2).astype(np.int64)
    products = np.where(rng.random(n) < OWN, own, (n_products * rng.random(n) ** 3).astype(np.int64)) + 1
    ago = np.datetime64(dt.datetime.now(dt.UTC).replace(tzinfo=None), "s") - rng.integers(60, DAYS * 86_400, n)
    moments = [str(each).replace("T", " ") for each in ago]
    fill(
        Event, n, id=uuids(n, rng), shopper_id=shoppers.tolist(), product_id=products.tolist(),
        type=(TYPES[k] for k in rng.choice(len(TYPES), n, p=SHARES)), occurred_at=moments, received_at=moments,
        digest=repeat("0123456789abcdef0123456789abcdef"),
    )  # fmt: skip


def fill(model: type[models.Model], n: int, **columns: Any) -> None:
    """Insert ``n`` rows, column by column, as the database takes them; what is not given has the model's default."""
    fields = [each for each in model._meta.concrete_fields if not each.primary_key or each.attname in columns]
    rows: Iterator[tuple[Any, ...]] = zip(*(columns.get(each.attname) or _default(each) for each in fields))  # type: ignore[misc]  # noqa: B905
    quoted = ", ".join(connection.ops.quote_name(each.column) for each in fields)
    with connection.cursor() as cursor:
        some = (row for _, row in zip(range(n), rows))  # noqa: B905
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {model._meta.db_table} ({quoted}) FROM STDIN") as copy:
                for row in some:
                    copy.write_row(row)
            for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
                cursor.execute(statement)
        else:
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {model._meta.db_table} ({quoted}) VALUES ({places})", some)


def _default(field: Any) -> Iterator[Any]:
    return repeat(field.get_db_prep_save(field.get_default(), connection))


def uuids(n: int, rng: np.random.Generator) -> list[str]:
    """Random ones as 32 digits, in order, which an index takes best."""
    return sorted(rng.bytes(16).hex() for _ in range(n))


def _now(ago: dt.timedelta = dt.timedelta()) -> str:
    return f"{dt.datetime.now(dt.UTC).replace(tzinfo=None) - ago}"


if __name__ == "__main__":
    main()
