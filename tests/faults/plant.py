"""Run as a script: plants a small shop into an empty database, and prints an API key and a staff password."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import uuid

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from shop_reco.events.drafts import EventDraft  # noqa: E402
from shop_reco.events.imports import import_events  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.products.services import ProductDraft, import_products  # noqa: E402
from shop_reco.users.models import ApiKey  # noqa: E402
from shop_reco.users.services import ShopperDraft, import_consents, import_shoppers, issue_key  # noqa: E402

N_PRODUCTS, N_SHOPPERS = 200, int(os.environ.get("FAULTS_SHOPPERS", 150))
N_EACH = int(os.environ.get("FAULTS_EVENTS_EACH", 12))


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
            product_id=products[(n % 8 + 8 * chance.randrange(N_PRODUCTS // 8)) % N_PRODUCTS],
            type="purchase",
            occurred_at=now - dt.timedelta(hours=chance.randrange(1, 1500)),
            order=f"{shopper}-{k}",
        )
        for n, shopper in enumerate(people.values())
        for k in range(N_EACH)
    ]
    import_events(rows=rows)
    User.objects.create_superuser("staff", password="staff")
    print(json.dumps({"key": issue_key(name="faults", scopes=ApiKey.Scope.values)[1]}))


main()
