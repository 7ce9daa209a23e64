"""Whatever a believed sender puts where, the answer is one of the promised ones, and no mapping breaks."""

from __future__ import annotations

import copy
import json

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.webhooks.models import WebhookDelivery

from . import senders
from .senders import PERSONAL, moment, shopify_order, shopify_product, shopify_refund, woo_order, woo_product

ROW = {
    "sku": "tea", "title": "Tea", "category": ["A"], "price": "1", "stock": 1, "attributes": {}, "updated_at": moment(),
    "translations": {"de": {"title": "Tee"}},
}  # fmt: skip
EVENT = {"id": "6f1c1bb0-0000-4000-8000-00000000000a", "type": "rate", "rating": 4, "sku": "tea", "shopper": "c1"}
PAYLOADS = [
    ("shopify", "orders/create", shopify_order(refunds=[shopify_refund()], cancelled_at=moment())),
    ("shopify", "refunds/create", shopify_refund()),
    ("shopify", "products/update", shopify_product()),
    ("shopify", "products/delete", {"id": 1}),
    ("shopify", "inventory_levels/update", senders.level()),
    ("shopify", "customers/redact", {"customer": {"id": 1}, "orders_to_redact": [1]}),
    ("woocommerce", "order.updated", woo_order(status="refunded")),
    ("woocommerce", "product.updated", woo_product()),
    ("woocommerce", "product.restored", woo_product()),
    ("woocommerce", "product.deleted", {"id": 1}),
    ("generic", "products/upsert", [ROW, ROW]),
    ("generic", "products/price", [ROW]),
    ("generic", "products/stock", [ROW]),
    ("generic", "products/delete", [ROW]),
    ("generic", "events", [EVENT]),
]
JUNK = st.sampled_from(
    [
        None, "", " ", "x", "a\x00b", "\ud800", "x" * 3000, "NaN", "-1", "1e999999", "9" * 400, 0, -1, 2**70, 1.5,
        1e300, True, False, [], {}, [None], [[]], [{}], {"id": {}}, {"x": [1]}, [["title"]], "0001-01-01T00:00:00",
        "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "<script>alert(1)</script>",
    ]
)  # fmt: skip


def places(value, path=()):
    """Every way into a payload."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in inner:
        yield from places(below, (*path, name))


def changed(payload, path, junk):
    if not path:
        return junk
    payload = copy.deepcopy(payload)
    at = payload
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = junk
    return payload


@pytest.fixture
def sources(shopify_source, woo_source, generic_source):
    return {source.kind: source for source in (shopify_source, woo_source, generic_source)}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_junk_anywhere_in_a_payload_gets_a_promised_answer(sources, client, data):
    kind, topic, payload = data.draw(st.sampled_from(PAYLOADS))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(places(payload), key=str)))
        payload = changed(payload, path, data.draw(JUNK))
    with transaction.atomic():
        reply = getattr(senders, kind)(client, sources[kind], topic, payload)
        answer = reply.json()
        assert reply.status_code in (200, 202, 400), answer
        assert answer.get("code") != "INTERNAL", answer
        kept = json.dumps(list(WebhookDelivery.objects.values_list("payload", "why", "report")))
        assert PERSONAL not in kept
        transaction.set_rollback(True)


@pytest.mark.parametrize("topic", ["\ud800", "a\x00", "x" * 999, "", 7, None, ["events"]])
def test_a_topic_that_no_table_takes_is_noted_as_ignored(generic_source, client, topic):
    reply = senders.generic(client, generic_source, topic, [])
    assert (reply.status_code, reply.json()) == (200, {"state": "ignored"})
    assert WebhookDelivery.objects.get().state == "ignored"


@pytest.mark.parametrize("topic", ["products/upsert", "products/delete", "products/stock", "products/price", "events"])
@pytest.mark.parametrize("sku", ["\ud800", "a\x00", "x" * 999, "", 7, None, ["tea"]])
def test_a_sku_that_no_table_takes_is_a_refusal_of_its_row(generic_source, client, topic, sku):
    reply = senders.generic(client, generic_source, topic, [{**EVENT, **ROW, "sku": sku}])
    counts = reply.json()["report"]["counts"]
    assert counts == {"events rejected" if topic == "events" else "rows rejected": 1}
