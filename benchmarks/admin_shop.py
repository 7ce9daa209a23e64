"""Run in a process of its own with the shop's settings: plants a shop for the admin's pages, and measures them.

Of a million events: as many shoppers and products as a tenth, a list for five events, an answer for fifty.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable
from itertools import cycle, repeat
from pathlib import Path
from time import perf_counter
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from shop_reco.admin_site import admin_site  # noqa: E402
from shop_reco.events.models import Event, RejectedEvent, ShopperFlag  # noqa: E402
from shop_reco.portraits.models import Portrait, PortraitEdit, Segmentation  # noqa: E402
from shop_reco.portraits.segmenting import KEPT, fit_segments  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.recommendations.models import Feedback, ModelVersion, Rule, Slate, TrainingRun  # noqa: E402
from shop_reco.recommendations.services import request_training, roll_up_answers  # noqa: E402
from shop_reco.recommendations.serving import recommend_for  # noqa: E402
from shop_reco.recommendations.training import work_off  # noqa: E402
from shop_reco.users.models import Consent, Shopper, ShopperLink, StaffRead  # noqa: E402
from shop_reco.webhooks.models import WebhookDelivery, WebhookSource  # noqa: E402

from .machine import tell  # noqa: E402
from .serving_plant import fill, plant_products, uuids  # noqa: E402

DAYS, ITEMS, KINDS = 28, 6, ("popularity", "item_cf", "buy_again")
PLACES = ("home", "similar", "again", "search")
TRIES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["plant", "measure"])
    parser.add_argument("--events", type=int, required=True)
    options = parser.parse_args()
    told = Path(settings.SHOP_RECO["ARTIFACTS_ROOT"]).parent / "planted.json"
    if options.work == "plant":
        call_command("migrate", verbosity=0)
        if not told.exists():
            told.write_text(json.dumps(plant(options.events)))
        return
    began = perf_counter()
    roll_up_answers()
    counted = round(perf_counter() - began, 1)
    began = perf_counter()
    fit_segments()
    grouped = round(perf_counter() - began, 1)
    times = {"counting_today_s": counted, "finding_groups_s": grouped}
    print(json.dumps({"shop": json.loads(told.read_text()), **times, "pages": measure()}))


def plant(n_events: int) -> dict[str, Any]:
    """Returns how many rows of what it planted."""
    Path(settings.SHOP_RECO["ARTIFACTS_ROOT"]).mkdir(parents=True, exist_ok=True)
    rng, n = np.random.default_rng(7), max(n_events // 10, 100)
    with transaction.atomic():
        plant_products(n, rng)
        plant_shoppers(n, rng)
        plant_events(n_events, n, rng)
        plant_portraits(n, rng)
        plant_lists(n_events // 5, n, rng)
        plant_rest(n_events // 50, n, rng)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for kind in KINDS:
        tell(f"training {kind}")
        request_training(kind=kind)
        work_off()
    plant_runs(max(n_events // 200, 10))
    tell("finding groups")
    plant_segments()
    User.objects.create_superuser("staff")
    tell("counting")
    roll_up_answers()
    models = (Event, Product, Shopper, Slate, Feedback, TrainingRun)
    return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in models}


def plant_shoppers(n: int, rng: np.random.Generator) -> None:
    """All of them allow everything."""
    ids, now = range(1, n + 1), _at(0)
    fill(Shopper, n, id=ids, public_id=uuids(n, rng), external_id=(f"s{k}" for k in ids), created_at=repeat(now))
    for purpose in Consent.Purpose.values:
        fill(
            Consent, n, shopper_id=ids, purpose=repeat(purpose), granted=repeat(True), source=repeat("benchmark"),
            decided_at=repeat(_at(DAYS + 1)),
        )  # fmt: skip


def plant_events(n: int, n_shoppers: int, rng: np.random.Generator) -> None:
    moments = _moments(n, rng)
    fill(
        Event, n, id=uuids(n, rng), shopper_id=rng.integers(1, n_shoppers + 1, n).tolist(),
        product_id=rng.integers(1, n_shoppers + 1, n).tolist(),
        type=rng.choice(["view_item", "add_to_cart", "purchase"], n, p=[0.6, 0.15, 0.25]).tolist(),
        occurred_at=moments, received_at=moments, digest=repeat("0" * 32),
    )  # fmt: skip


def plant_portraits(n: int, rng: np.random.Generator) -> None:
    """One for each shopper: a third order often and lately, a third seldom and long ago, the others never."""
    today = (timezone.now().date() - dt.date(1970, 1, 1)).days

    def summary(place: int) -> str:
        often = place % 3 == 0
        orders = 0 if place % 3 == 2 else int(rng.integers(20, 40) if often else rng.integers(2, 5))
        last = today - int(rng.integers(0, 7) if often else rng.integers(90, 200))
        told = {"orders": orders, "last": last, "spent": orders * 900, "pieces": orders * 3}
        return json.dumps({**told, "top": [f"Category {place % 3}"]})

    fill(
        Portrait, n, shopper_id=range(1, n + 1), n_events=repeat(9), drawn_at=repeat(_at(0)), time_zone=repeat("UTC"),
        counts=repeat("{}"), summary=map(summary, range(n)),
    )  # fmt: skip


def plant_segments() -> None:
    """Groups as of this night and of as many before as are kept."""
    made = fit_segments()
    if made is not None:
        night = {"n_shoppers": made.n_shoppers, "content": made.content, "live": False}
        Segmentation.objects.bulk_create(Segmentation(**night) for _ in range(KEPT))
        for days, each in enumerate(Segmentation.objects.filter(live=False), start=1):
            Segmentation.objects.filter(pk=each.pk).update(fitted_at=made.fitted_at - dt.timedelta(days=days))


def plant_lists(n: int, n_shoppers: int, rng: np.random.Generator) -> None:
    fill(
        Slate, n, id=uuids(n, rng), shopper_id=rng.integers(1, n_shoppers + 1, n).tolist(),
        placement=rng.choice(PLACES, n).tolist(), rung=rng.choice(["PERSONAL", "POPULAR"], n, p=[0.9, 0.1]).tolist(),
        items=(_items(each) for each in rng.integers(1, n_shoppers + 1, (n, ITEMS)).tolist()),
        control=(rng.random(n) < 0.1).tolist(), scored_at=repeat(None), served_at=_moments(n, rng),
    )  # fmt: skip


def _items(products: list[int]) -> str:
    reasons = [{"kind": "HISTORY_ITEM", "points": 0.5, "evidence": [], "source": "item_cf"}]
    return json.dumps([{"product": pk, "score": 0.5, "placed_by": "SCORE", "reasons": reasons} for pk in products])


def plant_rest(n: int, n_shoppers: int, rng: np.random.Generator) -> None:
    """A fiftieth of the events each: what was said, refused, flagged, believed, looked at and sent."""
    n = max(n, 20)
    some = rng.permutation(n_shoppers)[:n] + 1
    people, n, moments = some.tolist(), len(some), _moments(len(some), rng)
    products = rng.integers(1, n_shoppers + 1, n).tolist()
    fill(
        Feedback, n, shopper_id=people, product_id=products, kind=cycle(Feedback.Kind.values),
        review=cycle(Feedback.Review.values), given_at=moments,
    )  # fmt: skip
    fill(
        RejectedEvent, n, payload=repeat('{"type": "dance"}'), code=cycle(["UNKNOWN_TYPE", "TOO_OLD"]),
        message=repeat("no"), shopper_id=people, received_at=moments,
    )  # fmt: skip
    fill(
        ShopperFlag, n // 10, shopper_id=people, rule=repeat("bots"), evidence_key=repeat("1"),
        evidence=repeat('{"seconds": 60.0, "acts": 144, "most": 100}'), raised_at=moments,
        cleared_at=moments, cleared_by_id=repeat(None),
    )  # fmt: skip
    fill(
        PortraitEdit, n, shopper_id=people, action=repeat("pin"), kind=repeat("brand"), key=repeat("Brand 1"),
        created_at=moments,
    )  # fmt: skip
    fill(StaffRead, n, shopper_id=people, what=repeat("portrait"), read_at=moments)
    pairs = n // 2
    fill(ShopperLink, pairs, visitor_id=people[:pairs], account_id=people[pairs:], linked_at=moments)
    source = WebhookSource.objects.create(name="shop", kind="generic", secret="-")
    fill(WebhookDelivery, n, source_id=repeat(source.pk), delivery_id=(f"d{k}" for k in range(n)),
         topic=repeat("orders"), state=repeat("done"), code=cycle(["", "MALFORMED"]), received_at=moments)  # fmt: skip
    Rule.objects.bulk_create([Rule(action="boost", product_id=pk, points=1.0, active=False) for pk in products[:200]])


def plant_runs(n: int) -> None:
    """As a shop has after a while: many runs, and versions with the figures of their gate."""
    moments = [str(timezone.now() - dt.timedelta(minutes=20 * k)) for k in range(1, n + 1)]
    fill(
        TrainingRun, n, public_id=uuids(n, np.random.default_rng(1)), recommender_id=cycle(KINDS), state=repeat("done"),
        work=repeat("update"), requested_at=moments, started_at=moments, finished_at=moments,
    )  # fmt: skip
    told = {"mean": 0.1, "low": 0.09, "high": 0.11}
    section = {"n_shoppers": 900, "measured": {who: {"ndcg": told} for who in ("candidate", "popularity")}}
    gate = {"comparison": {"sections": {"discovery": section}}}
    ModelVersion.objects.bulk_create(
        [ModelVersion(recommender_id=KINDS[k % 3], state="retired", size=1, gate=gate) for k in range(n // 10)]
    )


def _moments(n: int, rng: np.random.Generator) -> list[str]:
    ago = np.datetime64(timezone.now().replace(tzinfo=None), "s") - rng.integers(60, DAYS * 86_400, n)
    return [str(each).replace("T", " ") for each in ago]


def _at(days_ago: float) -> str:
    return str(timezone.now().replace(tzinfo=None) - dt.timedelta(days=days_ago))


def measure() -> dict[str, Any]:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="staff"))
    client.get("/health/ready")  # before which no process is asked for a page
    recommend_for(shopper=None, first=5)
    return {name: _page(client, ask) for name, ask in pages().items()}


def pages() -> dict[str, Callable[[Client], Any]]:
    """Every list, the second page of it, a search where there is one, and the pages that compute something."""
    found: dict[str, Callable[[Client], Any]] = {"dashboard": _getting(reverse("admin:index"))}
    for model, model_admin in admin_site._registry.items():
        name = f"{model._meta.app_label}.{model._meta.model_name}"
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        found[name] = _getting(address)
        if model_admin.search_fields:
            found[f"{name}, search"] = _getting(f"{address}?q=s77")
    slate = Slate.objects.order_by("-served_at").values_list("pk", flat=True)[0]
    why = reverse("admin:reco_recommendations_slate_why")
    version = ModelVersion.objects.filter(state="live").first()
    feedback = reverse("admin:reco_recommendations_feedback_changelist")
    slates = reverse("admin:reco_recommendations_slate_changelist")
    found |= {
        "explorer": _getting(why),
        "explorer, a history": _getting(f"{why}?placement=home&first=12&skus=p1,p7"),
        "a list": _getting(reverse("admin:reco_recommendations_slate_change", args=[slate])),
        "comparison": _getting(reverse("admin:reco_recommendations_modelversion_change", args=[version.pk])),  # type: ignore[union-attr]
        "segments": _getting(reverse("admin:reco_portraits_segmentation_now")),
        "two versions": _getting(reverse("admin:reco_recommendations_recommender_compare", args=["item_cf"])),
        "review, what waits": _getting(f"{feedback}?review__exact=open"),
        "lists of a placement": _getting(f"{slates}?placement=home&rung__exact=PERSONAL"),
        "search for a shopper": _autocomplete("reco_events", "event", "shopper", "s77"),
        "search for a product": _autocomplete("reco_events", "event", "product", "ab"),
    }
    return found


def _getting(address: str) -> Callable[[Client], Any]:
    return lambda client: client.get(address)


def _autocomplete(app: str, model: str, field: str, term: str) -> Callable[[Client], Any]:
    question = {"app_label": app, "model_name": model, "field_name": field, "term": term}
    return lambda client: client.get(reverse("admin:autocomplete"), question)


def _page(client: Client, ask: Callable[[Client], Any]) -> dict[str, Any]:
    cache.clear()
    times, queries = [], 0
    for _ in range(TRIES + 1):
        began = perf_counter()
        reply = ask(client)
        times.append(perf_counter() - began)
        assert reply.status_code == 200, (reply.status_code, reply.content[:200])
    with CaptureQueriesContext(connection) as asked:
        ask(client)
    queries = len(asked)
    slowest = max(asked.captured_queries, key=lambda each: float(each["time"]), default={"sql": "", "time": "0"})
    return {
        "queries": queries,
        "cold_s": round(times[0], 3),
        "warm_s": round(min(times[1:]), 3),
        "slowest_query_s": float(slowest["time"]),
    } | ({"slowest_query": slowest["sql"][:300]} if float(slowest["time"]) > 0.2 else {})


if __name__ == "__main__":
    main()
