"""A delivery is done once, however often it comes, and none that was believed is lost."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Product
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.services import decide_consent
from shop_reco.users.signals import shoppers_changed
from shop_reco.webhooks import services, tasks
from shop_reco.webhooks.models import WebhookDelivery

from .conftest import PURPOSES, make
from .senders import generic, level, moment, shopify, shopify_order, shopify_product, shopify_refund

TEA = {"sku": "tea", "title": "Tea", "updated_at": moment()}


def view(**more):
    event = {"id": str(uuid.uuid4()), "type": "view_item", "sku": "tea", "shopper": "c1", "occurred_at": moment()}
    return event | more


def test_the_same_delivery_again_changes_nothing_and_is_counted(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    events = [view(), view(shopper="c2")]
    first = generic(client, generic_source, "events", events, delivery="one")
    assert first.json()["report"]["counts"]["events accepted"] == 2
    for n in range(1, 4):
        again = generic(client, generic_source, "events", events, delivery="one")
        assert (again.status_code, again.json()["state"]) == (200, "duplicate")
        assert WebhookDelivery.objects.get(delivery_id="one").repeats == n
    assert Event.objects.count() == 2


def test_another_body_under_the_id_of_a_delivery_is_a_conflict(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA], delivery="one")
    reply = generic(client, generic_source, "products/upsert", [{**TEA, "title": "Pie"}], delivery="one")
    assert (reply.status_code, reply.json()["code"]) == (422, "CONFLICT")
    assert Product.objects.get().title == "Tea"
    assert WebhookDelivery.objects.get(state="refused").code == "CONFLICT"


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_one_has_an_effect():
    source = make("generic")
    generic(Client(), source, "products/upsert", [TEA])
    events = [view(id=str(uuid.uuid4()), shopper=f"c{n}") for n in range(3)]

    def send(_):
        try:
            return generic(Client(), source, "events", events, delivery="one").json()["state"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        states = list(pool.map(send, range(50)))
    assert sorted(set(states)) == ["done", "duplicate"]
    assert states.count("done") == 1
    assert Event.objects.count() == 3
    assert Shopper.objects.count() == 3
    assert WebhookDelivery.objects.get(delivery_id="one").repeats == 49
    assert Consent.objects.count() == 6


def test_the_control_without_the_one_row_a_repeat_is_done_again(generic_source, client, monkeypatch):
    """The probe of the race sees two effects where each call makes a row of its own."""
    real = services._claimed

    def careless(source, delivery_id, topic, digest):
        return real(source, uuid.uuid4().hex, topic, digest)

    monkeypatch.setattr(services, "_claimed", careless)
    states = [generic(client, generic_source, "events", [], delivery="one").json()["state"] for _ in range(2)]
    assert states == ["done", "done"]


@pytest.mark.django_db(transaction=True)
def test_deliveries_about_the_same_things_at_once_all_succeed_and_count_once():
    source = make("shopify")
    product, order, refund = shopify_product(-9), shopify_order(), shopify_refund()
    cancelled = order | {"cancelled_at": moment(90), "refunds": [refund]}
    levels = [level(item=item, available=20 + n, minutes=10 + n) for item in (44, 45) for n in range(4)]
    shopify(Client(), source, "products/create", product)
    mixed = [
        *(("products/update", product | {"title": f"T{n}", "updated_at": moment(n)}) for n in range(6)),
        *(("inventory_levels/update", each) for each in levels),
        *[(topic, order) for topic in ("orders/create", "orders/paid", "orders/updated") for _ in range(2)],
        *[("orders/cancelled", cancelled)] * 2,
        *[("refunds/create", refund)] * 2,
    ]

    def send(each):
        try:
            return shopify(Client(), source, *each).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(send, mixed)) == {200}
    assert Product.objects.get(parent=None).title == "T5"
    assert set(Product.objects.filter(parent__isnull=False).values_list("stock", flat=True)) == {23}
    assert list(Event.objects.order_by("type", "quantity").values_list("type", "quantity")) == [
        ("purchase", 2), ("refund", 1), ("refund", 1),
    ]  # fmt: skip
    assert Shopper.objects.count() == 1


def test_a_topic_that_is_not_known_is_noted_as_ignored(generic_source, client):
    reply = generic(client, generic_source, "weather/changed", [])
    assert (reply.status_code, reply.json()) == (200, {"state": "ignored"})
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.code, delivery.topic, delivery.payload) == (
        "ignored", "UNKNOWN_TOPIC", "weather/changed", None,
    )  # fmt: skip


def test_rows_that_cannot_be_stored_are_kept_for_staff_and_their_neighbours_done(generic_source, client):
    rows = [TEA, {"sku": "pie", "title": "", "category": ["Sweet"], "attributes": {"a": 1}}]
    reply = generic(client, generic_source, "products/upsert", rows, delivery="one")
    assert (reply.status_code, reply.json()["state"]) == (202, "failed")
    (problem,) = reply.json()["report"]["rejected"]
    assert (problem["index"], problem["field"], problem["code"]) == (1, "title", "EMPTY")
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.code, delivery.why) == ("failed", "EMPTY", "title of pie must not be empty")
    assert delivery.payload["data"][1] == rows[1]
    assert Product.objects.get().sku == "tea"


def test_a_failed_delivery_is_done_after_a_fix(generic_source, client):
    rows = [{"sku": "small", "title": "Small", "parent_sku": "tea", "updated_at": moment()}]
    generic(client, generic_source, "products/upsert", rows, delivery="one")
    failed = WebhookDelivery.objects.get()
    assert failed.code == "UNKNOWN_PARENT"
    generic(client, generic_source, "products/upsert", [TEA])
    assert services.replay_delivery(delivery=failed).content["state"] == "done"
    failed.refresh_from_db()
    assert (failed.state, failed.payload, failed.code) == ("done", None, "")
    assert Product.objects.get(sku="small").parent.sku == "tea"
    # the sender's own retry of it, later, is a repeat
    assert generic(client, generic_source, "products/upsert", rows, delivery="one").json()["state"] == "duplicate"


def test_a_delivery_done_late_is_as_old_as_its_first_arrival(generic_source, client):
    undated = [{"sku": "tea", "title": "First", "parent_sku": "pot"}]
    generic(client, generic_source, "products/upsert", undated, delivery="one")
    generic(client, generic_source, "products/upsert", [{"sku": "pot", "title": "Pot"}])
    generic(client, generic_source, "products/upsert", [{"sku": "tea", "title": "Second"}])
    failed = WebhookDelivery.objects.get(delivery_id="one")
    assert services.replay_delivery(delivery=failed).content["report"]["counts"] == {"rows stale": 1}
    assert Product.objects.get(sku="tea").title == "Second"


def test_a_body_that_its_topic_does_not_promise_is_kept_for_staff(generic_source, client):
    for wrong in ({"data": 1}, [7], [{"sku": "a", "title": "A", "category": "text"}], [{"updated_at": "never"}]):
        data = wrong if isinstance(wrong, list) else wrong["data"]
        reply = generic(client, generic_source, "products/upsert", data)
        assert (reply.status_code, reply.json()["code"]) == (202, "BAD_PAYLOAD")
    many = [{"sku": str(n), "title": "T"} for n in range(501)]
    assert "500 rows at most" in generic(client, generic_source, "products/upsert", many).json()["message"]
    assert not Product.objects.exists()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}


def test_what_a_mapping_did_not_foresee_loses_nothing(generic_source, client, monkeypatch):
    def broken(**kwargs):
        raise KeyError("canary of a message")

    with monkeypatch.context() as patch:
        patch.setattr(services, "carry_out", broken)
        reply = generic(client, generic_source, "products/upsert", [TEA])
        assert (reply.status_code, reply.json()["code"], reply.json()["message"]) == (202, "INTERNAL", "KeyError")
        services.replay_delivery(delivery=WebhookDelivery.objects.get())
        assert WebhookDelivery.objects.get().state == "failed"
    assert services.replay_delivery(delivery=WebhookDelivery.objects.get()).content["state"] == "done"
    assert Product.objects.get().title == "Tea"


def test_a_database_that_is_away_asks_for_another_try_and_leaves_no_trace(generic_source, client, monkeypatch):
    def away(**kwargs):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(services, "carry_out", away)
        reply = generic(client, generic_source, "products/upsert", [TEA], delivery="one")
        assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    assert not WebhookDelivery.objects.exists()
    assert generic(client, generic_source, "products/upsert", [TEA], delivery="one").json()["state"] == "done"


def test_events_of_unknown_products_wait_among_the_rejected_ones(generic_source, client):
    reply = generic(client, generic_source, "events", [view(sku="nothing"), view(type="fly")])
    assert reply.json()["report"]["counts"]["events rejected"] == 2
    assert set(RejectedEvent.objects.values_list("code", flat=True)) == {"UNKNOWN_PRODUCT", "UNKNOWN_TYPE"}
    assert WebhookDelivery.objects.get().code in {"UNKNOWN_PRODUCT", "UNKNOWN_TYPE"}


def test_the_consent_that_a_source_may_claim_is_recorded_and_never_overrides_the_shopper(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    shopper = Shopper.objects.get()
    claimed = Consent.objects.filter(shopper=shopper, granted=True).values_list("purpose", "source")
    assert set(claimed) == {
        ("personalisation", f"webhook {generic_source.key}"), ("training", f"webhook {generic_source.key}"),
    }  # fmt: skip
    decide_consent(shopper=shopper, decisions={"personalisation": False, "training": False}, source="shop")
    reply = generic(client, generic_source, "events", [view()])
    assert reply.json()["report"]["counts"] == {"ignored: CONSENT_REQUIRED": 1}
    assert Event.objects.count() == 1
    assert not Consent.objects.filter(shopper=shopper, granted=True, superseded_at=None).exists()


@pytest.fixture
def claims():
    """Called with each shopper's key as consent is claimed of them, while the claim is being made."""
    called = []

    def on_changed(*, shopper_ids, **kwargs):
        for each in called:
            each(*shopper_ids)

    shoppers_changed.connect(on_changed)
    yield called
    shoppers_changed.disconnect(on_changed)


def test_shoppers_are_claimed_in_the_order_of_their_keys_whatever_they_are_called(generic_source, client, claims):
    keys = [Shopper.objects.create(external_id=name).pk for name in ("c9", "c5", "c7")]
    generic(client, generic_source, "products/upsert", [TEA])
    order = []
    claims.append(order.append)
    events = [view(shopper=name) for name in ("c5", "c7", "c9")]
    reply = generic(client, generic_source, "events", events)
    assert reply.json()["report"]["counts"] == {"events accepted": 3}
    assert order == keys
    assert Consent.objects.count() == 6


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_all_of_a_delivery_are_locked_before_the_first_of_them_is_marked(claims):
    source, names = make("generic"), ("c9", "c5", "c7", "c8")
    for name in names:
        Shopper.objects.create(external_id=name)
    decide_consent(shopper=Shopper.objects.get(external_id="c8"), decisions=dict.fromkeys(PURPOSES, True), source="me")
    generic(Client(), source, "products/upsert", [TEA])
    free = []

    def look(_):
        def unlocked():
            try:
                with transaction.atomic():
                    left = Shopper.objects.select_for_update(skip_locked=True).filter(external_id__in=names)
                    return list(left.values_list("external_id", flat=True))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            free.append(pool.submit(unlocked).result(timeout=10))

    claims.append(look)
    reply = generic(Client(), source, "events", [view(shopper=name) for name in names])
    assert reply.json()["report"]["counts"] == {"events accepted": 4}
    assert free == [[], [], []]


def test_a_source_that_may_claim_nothing_makes_no_shopper(db, client):
    source = make("generic", purposes=[])
    generic(client, source, "products/upsert", [TEA])
    reply = generic(client, source, "events", [view()])
    assert reply.json()["report"]["counts"]["ignored: CONSENT_REQUIRED"] == 1
    assert not Shopper.objects.exists()
    consenting = Shopper.objects.create(external_id="c1")
    decide_consent(shopper=consenting, decisions={"training": True}, source="shop")
    generic(client, source, "events", [view()])
    assert Event.objects.get().shopper == consenting


def test_an_erased_shopper_does_not_come_back(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    erase_shopper(shopper=Shopper.objects.get())
    reply = generic(client, generic_source, "events", [view()])
    assert reply.json()["report"]["counts"]["ignored: erased shopper"] == 1
    assert not Shopper.objects.exists()


def test_a_row_made_by_a_visit_does_not_bring_an_erased_shopper_back(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    erase_shopper(shopper=Shopper.objects.get())
    again = Shopper.objects.create(external_id="c1")  # the shop's server named them, and nobody allowed anything
    reply = generic(client, generic_source, "events", [view(), view(occurred_at=None)])
    counts = reply.json()["report"]["counts"]
    assert counts == {"ignored: erased shopper": 1, "ignored: CONSENT_REQUIRED": 1}
    assert not Consent.objects.exists()
    # with a consent of their own, only what they have done since is recorded
    decide_consent(shopper=again, decisions={"training": True}, source="shop")
    reply = generic(client, generic_source, "events", [view(), view(occurred_at="never"), view(occurred_at=None)])
    assert reply.json()["report"]["counts"] == {"ignored: erased shopper": 2, "events accepted": 1}
    assert list(Consent.objects.values_list("purpose", "source")) == [("training", "shop")]
    assert not RejectedEvent.objects.exists()


def test_an_erased_shopper_does_not_come_back_after_the_key_was_rotated(generic_source, client, settings):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    erase_shopper(shopper=Shopper.objects.get())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", [settings.SECRET_KEY]
    reply = generic(client, generic_source, "events", [view(), view()])
    assert reply.json()["report"]["counts"] == {"ignored: erased shopper": 2}
    assert not Shopper.objects.exists()


def test_who_is_erased_is_erased_from_what_waits_to_be_mended(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    for shopper in ("c1", "c2"):
        generic(client, generic_source, "events", [view(shopper=shopper), 7])
    waiting = WebhookDelivery.objects.filter(state="failed")
    assert len([each for each in waiting.all() if each.payload]) == 2
    erase_shopper(shopper=Shopper.objects.get(external_id="c1"))
    kept = [each.payload["data"][0]["shopper"] for each in waiting.all() if each.payload]
    assert kept == ["c2"]


def test_of_a_failed_delivery_nothing_is_kept_about_who_may_not_be_followed(generic_source, client):
    refusing = Shopper.objects.create(external_id="c1")
    decide_consent(shopper=refusing, decisions={"personalisation": False, "training": False}, source="shop")
    erase_shopper(shopper=Shopper.objects.create(external_id="c2"))
    silent = make("generic", name="silent", purposes=[])
    decide_consent(shopper=Shopper.objects.create(external_id="c4"), decisions={"training": True}, source="shop")
    for source, shopper in itertools.product((generic_source, silent), ("c1", "c2", "c3", "c4", None)):
        reply = generic(client, source, "events", [view(shopper=shopper), 7])
        assert (reply.status_code, reply.json()["code"]) == (202, "BAD_PAYLOAD")
    failed = WebhookDelivery.objects.filter(state="failed", code="BAD_PAYLOAD").order_by("pk")
    assert set(failed.values_list("why", flat=True)) == {"data[1] must be an object"}
    kept = [(each.source.name, each.payload["data"][0]["shopper"]) for each in failed if each.payload]
    assert kept == [("generic", "c3"), ("generic", "c4"), ("generic", None), ("silent", "c4"), ("silent", None)]
    # one who may not be followed is enough
    generic(client, generic_source, "events", [view(shopper="c4"), view(shopper="c1"), 7], delivery="both")
    assert WebhookDelivery.objects.get(delivery_id="both").payload is None


@pytest.mark.parametrize("customer", [[], [{"id": 7}], [[{"id": [7]}]], {"id": [7]}, "7", 7, None])
def test_a_misshapen_payload_stops_nobodys_erasure(shopify_source, client, customer):
    reply = shopify(client, shopify_source, "orders/create", shopify_order(id=None, customer=customer))
    assert reply.json()["code"] == "BAD_PAYLOAD"
    kept = WebhookDelivery.objects.get()
    assert kept.payload is not None
    erase_shopper(shopper=Shopper.objects.create(external_id="8"))
    erase_shopper(shopper=Shopper.objects.create(external_id="7"))
    kept.refresh_from_db()
    assert "7" not in json.dumps((kept.payload or {}).get("customer"))


def test_a_lone_row_where_a_list_should_be_is_forgotten_with_its_shopper(generic_source, client):
    generic(client, generic_source, "events", view())
    assert WebhookDelivery.objects.get().payload["data"]["shopper"] == "c1"
    erase_shopper(shopper=Shopper.objects.create(external_id="c1"))
    assert WebhookDelivery.objects.get().payload is None


def test_guests_are_counted_and_not_kept(generic_source, client):
    generic(client, generic_source, "products/upsert", [TEA])
    reply = generic(client, generic_source, "events", [view(shopper=None), view(shopper="")])
    assert reply.json()["report"]["counts"]["ignored: guest"] == 2
    assert not Shopper.objects.exists()


def test_stock_and_price_come_row_by_row(generic_source, client):
    generic(client, generic_source, "products/upsert", [{**TEA, "stock": 3, "price": "3.10"}])
    good = {"sku": "tea", "stock": 0, "updated_at": moment(1)}
    rows = [good, {"sku": "none", "stock": 1}, {"sku": "tea", "stock": -1}]
    reply = generic(client, generic_source, "products/stock", rows)
    found = [(each["index"], each["code"], each["field"]) for each in reply.json()["report"]["rejected"]]
    assert found == [(1, "UNKNOWN_PRODUCT", "sku"), (2, "BAD_FIELD", "stock")]
    generic(client, generic_source, "products/price", [{"sku": "tea", "price": 2.10, "updated_at": moment(1)}])
    generic(client, generic_source, "products/price", [{"sku": "tea", "price": "9", "updated_at": moment(-1)}])
    product = Product.objects.get()
    assert (product.stock, str(product.price)) == (0, "2.10")
    generic(client, generic_source, "products/delete", [{"sku": "tea", "updated_at": moment(2)}])
    assert not Product.objects.get().open


def test_old_deliveries_are_forgotten(generic_source, client):
    for n in range(3):
        generic(client, generic_source, "products/upsert", [TEA], delivery=f"d{n}")
    old = timezone.now() - dt.timedelta(days=31)
    WebhookDelivery.objects.filter(delivery_id__in=["d0", "d1"]).update(received_at=old)
    assert tasks.forget_old_deliveries() == 2
    assert WebhookDelivery.objects.get().delivery_id == "d2"


def test_the_schedule_forgets_old_deliveries_each_night(db):
    from django_celery_beat.models import PeriodicTask

    task = "shop_reco.webhooks.tasks.forget_old_deliveries"
    assert PeriodicTask.objects.filter(task=task, enabled=True).exists()


def test_a_delivery_costs_few_queries_however_many_lines_it_has(generic_source, client, django_assert_max_num_queries):
    generic(client, generic_source, "products/upsert", [TEA])
    generic(client, generic_source, "events", [view()])
    with django_assert_max_num_queries(40):
        generic(client, generic_source, "events", [view() for _ in range(200)])
    assert Event.objects.count() == 201
    assert connection.vendor in ("sqlite", "postgresql")
