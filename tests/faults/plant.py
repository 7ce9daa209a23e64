"""Run as a script: plants a small shop into an empty database, and prints an API key and a staff password."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import uuid

import django

os.environ["FAULTS_TRAINING_PROCESS"] = "0"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from shop_reco.events.drafts import EventDraft  # noqa: E402
from shop_reco.events.imports import import_events  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.products.services import ProductDraft, import_products  # noqa: E402
from shop_reco.recommendations.services import request_training  # noqa: E402
from shop_reco.recommendations.training import work_off  # noqa: E402
from shop_reco.users.models import ApiKey  # noqa: E402
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers, issue_key  # noqa: E402

N_PRODUCTS, N_SHOPPERS = int(os.environ.get("FAULTS_PRODUCTS", 200)), int(os.environ.get("FAULTS_SHOPPERS", 150))
N_EACH = int(os.environ.get("FAULTS_EVENTS_EACH", 12))

ALIKE = "FAULTS_ALIKE" in os.environ
"""Whether each shopper buys the same."""


def liked(shopper: int, chance: random.Random) -> int:
    """A product of the shelf that this shopper likes, by its place."""
    return (shopper % 8 + 8 * chance.randrange(max(1, N_PRODUCTS // 8))) % N_PRODUCTS


def main() -> None:
    call_command("migrate", verbosity=0)
    chance, now = random.Random(1), timezone.now()
    import_products(
        drafts=[ProductDraft(sku=f"p{n}", title=f"Thing {n}", category=(f"Shelf {n % 8}",)) for n in range(N_PRODUCTS)]
    )
    products = list(Product.objects.order_by("pk").values_list("pk", flat=True))
    people = import_shoppers(rows=[ShopperDraft(external_id=f"h{n}") for n in range(N_SHOPPERS)])
    purposes = ["personalisation", "training", "analytics"]
    import_consents(shopper_ids=list(people.values()), purposes=purposes, source="test", decided_at=now)
    rows = [
        EventDraft(
            id=uuid.uuid4(),
            shopper_id=shopper,
            product_id=products[k % N_PRODUCTS if ALIKE else liked(n, chance)],
            type="purchase",
            occurred_at=now - dt.timedelta(hours=chance.randrange(1, 1500)),
            order=f"{shopper}-{k}",
        )
        for n, shopper in enumerate(people.values())
        for k in range(N_EACH)
    ]
    import_events(rows=rows)
    for kind in filter(None, os.environ.get("FAULTS_TRAINED", "").split(",")):
        request_training(kind=kind)
        work_off()
    if not User.objects.exists():
        User.objects.create_superuser("staff", password="staff")
    print(json.dumps({"key": issue_key(name="faults", scopes=ApiKey.Scope.values)[1]}))


main()
