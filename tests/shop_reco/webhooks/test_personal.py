"""Of a customer nothing but the shop's own id reaches a table or a log, also where a delivery fails."""

from __future__ import annotations

import json
import logging

import pytest
from django.apps import apps

from shop_reco.events.models import Event
from shop_reco.webhooks.models import WebhookDelivery

from .senders import (
    PERSONAL,
    SECRET,
    shopify,
    shopify_order,
    shopify_product,
    shopify_refund,
    woo_order,
    woo_product,
    woocommerce,
)


def everything():
    """Every row of every table, as text."""
    return "\n".join(
        json.dumps(list(model._default_manager.values()), default=str, ensure_ascii=False)
        for model in apps.get_models(include_auto_created=True)
    )


@pytest.fixture
def logs(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def test_no_name_email_phone_or_address_is_kept(shopify_source, woo_source, client, logs, capfd):
    orphaned = shopify_order()["line_items"][0] | {"id": 9, "variant_id": 9, "product_id": 9, "sku": "NOT-THERE"}
    broken = shopify_order(id=2, line_items=[shopify_order()["line_items"][0] | {"quantity": "x"}])
    shopify(client, shopify_source, "products/create", shopify_product(-9))
    woocommerce(client, woo_source, "product.created", woo_product(-9))
    for _ in range(2):
        shopify(client, shopify_source, "orders/create", shopify_order())
        shopify(client, shopify_source, "orders/create", shopify_order(line_items=[orphaned]))
        shopify(client, shopify_source, "refunds/create", shopify_refund())
        woocommerce(client, woo_source, "order.created", woo_order())
    failed = shopify(client, shopify_source, "orders/create", broken)
    assert failed.json()["code"] == "BAD_PAYLOAD"
    missing = shopify_order(id=3)
    del missing["line_items"]
    assert shopify(client, shopify_source, "orders/create", missing).json()["code"] == "BAD_PAYLOAD"
    shopify(client, shopify_source, "customers/create", shopify_order()["customer"])
    shopify(client, shopify_source, "orders/create", shopify_order(), secret="a forged secret")
    shopify(client, shopify_source, "orders/create", json.dumps(shopify_order()).encode()[:-1])
    assert Event.objects.count() == 3
    kept = WebhookDelivery.objects.filter(state="failed").order_by("pk")
    assert [each.payload["customer"] for each in kept] == [{"id": 207119551}] * 2
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"done", "failed", "ignored", "refused"}
    out = "".join(capfd.readouterr())
    for place, text in {"tables": everything(), "logs": logs.text, "output": out}.items():
        assert PERSONAL not in text, place
        assert SECRET not in text, place
    assert "207119551" in everything()  # the probe sees what is kept


def test_the_control_a_payload_kept_whole_is_found(shopify_source, client, monkeypatch):
    monkeypatch.setattr("shop_reco.webhooks.services.slim", lambda payload, shape: payload)
    missing = shopify_order(id=3)
    del missing["line_items"]
    shopify(client, shopify_source, "orders/create", missing)
    assert PERSONAL in everything()
