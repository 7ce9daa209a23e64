"""Export and erasure of one shopper with many events: ``python -m benchmarks.privacy``, JSON out.

Makes a shop of its own in a temporary folder (SQLite, synced writes), or uses the empty database that
``DATABASE_URL`` names, with other shoppers beside the one that is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import tempfile
import time
import uuid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="of the shopper")
    parser.add_argument("--others", type=int, default=100_000, help="events of other shoppers")
    parser.add_argument("--slates", type=int, default=300, help="lists served to the shopper")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DEMO_DIR": folder, "DJANGO_SETTINGS_MODULE": "shop_reco.settings.demo", "LOG_LEVEL": "WARNING"}
        set_up()
        print(json.dumps(measure(options), indent=1))


def set_up() -> None:
    import django
    from django.conf import settings

    if "DATABASE_URL" in os.environ:
        from shop_reco.settings.base import env

        settings.DATABASES = {"default": env.db("DATABASE_URL")}
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def measure(options: argparse.Namespace) -> dict[str, object]:
    from django.db import connection

    from shop_reco.privacy.archive import write_archive
    from shop_reco.privacy.receipts import receipt_file
    from shop_reco.privacy.selectors import privacy_root
    from shop_reco.privacy.services import erase_shopper
    from shop_reco.privacy.verify import problems_of

    shopper = plant(options)
    path = privacy_root() / "measured.zip"
    start = time.perf_counter()
    rows = write_archive(shopper=shopper, path=path, progress=lambda done: None)
    exported = time.perf_counter() - start
    start = time.perf_counter()
    receipt = erase_shopper(shopper=shopper)
    erased = time.perf_counter() - start
    content = receipt_file(public_id=receipt.public_id)
    assert content is not None
    assert problems_of(content) == []
    return {
        "database": connection.vendor,
        "rows": rows,
        "export_seconds": round(exported, 3),
        "export_bytes": path.stat().st_size,
        "erase_seconds": round(erased, 3),
        "erased": receipt.counts,
        "receipt_bytes": len(content),
    }


def plant(options: argparse.Namespace) -> object:
    from django.utils import timezone

    from shop_reco.events.models import Event
    from shop_reco.portraits.services import edit_interests
    from shop_reco.products.models import Product
    from shop_reco.products.services import ProductDraft, import_products
    from shop_reco.recommendations.models import Slate
    from shop_reco.users.models import Shopper
    from shop_reco.users.services import decide_consent, ensure_shopper

    import_products(
        drafts=[
            ProductDraft(sku=f"p{n}", title=f"Thing {n}", category=("Shop", f"Shelf {n % 20}"), brand="B")
            for n in range(2000)
        ]
    )
    products = list(Product.objects.values_list("pk", flat=True))
    now = timezone.now()
    shopper = ensure_shopper(external_id="measured")
    decide_consent(shopper=shopper, decisions={"personalisation": True, "training": True}, source="benchmark")
    edit_interests(shopper=shopper, pin=[("brand", "B")])
    Shopper.objects.bulk_create(Shopper(external_id=f"other-{n}") for n in range(500))
    others = list(Shopper.objects.exclude(pk=shopper.pk).values_list("pk", flat=True))
    people = [shopper.pk] * options.events + [others[n % len(others)] for n in range(options.others)]
    Event.objects.bulk_create(
        (
            Event(
                id=uuid.uuid4(),
                shopper_id=person,
                product_id=products[n * 7 % len(products)],
                type="view_item",
                occurred_at=now - dt.timedelta(minutes=n),
                received_at=now,
                digest=f"{n:032x}",
            )
            for n, person in enumerate(people)
        ),
        batch_size=1000,
    )
    reasons = [{"kind": "HISTORY_ITEM", "points": 0.25, "evidence": products[:3]}]
    Slate.objects.bulk_create(
        Slate(
            id=uuid.uuid4(),
            shopper=shopper,
            placement="home",
            rung="PERSONAL",
            served_at=now,
            items=[{"product": pk, "score": 1.0, "placed_by": "SCORE", "reasons": reasons} for pk in products[:20]],
        )
        for _ in range(options.slates)
    )
    print("planted", file=sys.stderr)
    return shopper


if __name__ == "__main__":
    main()
