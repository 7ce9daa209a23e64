"""Shops that send signed webhooks, as the real ones sign them, and bodies as the real ones send them."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import time
import uuid

from django.utils import timezone

SECRET = "a secret of some length"
PERSONAL = "canary-7f3a"
"""In every field of a payload that is about a person; it must be in no table and no log."""

ADDRESS = {
    "first_name": PERSONAL, "last_name": PERSONAL, "name": PERSONAL, "company": PERSONAL, "phone": PERSONAL,
    "address1": PERSONAL, "address_1": PERSONAL, "city": PERSONAL, "zip": PERSONAL, "postcode": PERSONAL,
    "email": f"{PERSONAL}@example.com",
}  # fmt: skip


def moment(minutes=0):
    """So many minutes from yesterday noon or so, in ISO 8601."""
    return (timezone.now() - timezone.timedelta(days=1) + timezone.timedelta(minutes=minutes)).isoformat()


def digest(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def generic(client, source, topic, data, *, secret=SECRET, delivery=None, at=None, body=None, **headers):
    body = json.dumps({"topic": topic, "data": data}).encode() if body is None else body
    delivery, stamp = delivery or uuid.uuid4().hex, str(int(time.time()) if at is None else at)
    signature = digest(f"{stamp}.{delivery}.".encode() + body, secret).hex()
    signed = {"X-Reco-Delivery": delivery, "X-Reco-Timestamp": stamp, "X-Reco-Signature": f"sha256={signature}"}
    return post(client, source, body, signed | headers)


def shopify(client, source, topic, payload, *, secret=SECRET, delivery=None, at=None, **headers):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest(body, secret)).decode(),
        "X-Shopify-Webhook-Id": delivery or str(uuid.uuid4()),
        "X-Shopify-Triggered-At": at or timezone.now().isoformat(),
        "X-Shopify-Shop-Domain": "example.myshopify.com",
    }
    return post(client, source, body, signed | headers)


def woocommerce(client, source, topic, payload, *, secret=SECRET, delivery=None, **headers):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = {
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Signature": base64.b64encode(digest(body, secret)).decode(),
        "X-WC-Webhook-Delivery-ID": delivery or uuid.uuid4().hex,
        "X-WC-Webhook-Source": "https://example.com/",
    }
    return post(client, source, body, signed | headers)


def post(client, source, body, headers, content_type="application/json"):
    content_type = headers.pop("Content-Type", content_type)
    return client.post(f"/webhooks/{source.key}/", body, content_type=content_type, headers=headers)


def shopify_order(**changes):
    line = {
        "id": 466157049, "variant_id": 39072856, "product_id": 632910392, "sku": "IPOD2008GREEN", "quantity": 2,
        "price": "199.00", "title": "IPod Nano", "total_discount": "0.00", "discount_allocations": [],
        "properties": [{"name": "engraving", "value": PERSONAL}],
    }  # fmt: skip
    order = {
        "id": 450789469, "test": False, "created_at": moment(), "processed_at": moment(), "updated_at": moment(5),
        "cancelled_at": None, "currency": "EUR", "source_name": "web", "financial_status": "paid",
        "email": f"{PERSONAL}@example.com", "contact_email": PERSONAL, "phone": PERSONAL, "note": PERSONAL,
        "browser_ip": PERSONAL, "customer": {"id": 207119551, "email": PERSONAL, "first_name": PERSONAL,
                                             "default_address": ADDRESS},
        "billing_address": ADDRESS, "shipping_address": ADDRESS, "line_items": [line], "refunds": [],
    }  # fmt: skip
    return copy.deepcopy(order) | changes


def shopify_refund(quantity=1, **changes):
    line = shopify_order()["line_items"][0]
    refund = {
        "id": 929361464, "order_id": 450789469, "created_at": moment(60), "processed_at": moment(60),
        "note": PERSONAL, "refund_line_items": [
            {"id": 1058498311, "line_item_id": 466157049, "quantity": quantity, "line_item": line}
        ],
    }  # fmt: skip
    return refund | changes


def shopify_product(minutes=0, **changes):
    product = {
        "id": 632910392, "title": "IPod Nano", "body_html": "<p>It&#39;s <b>small</b></p>", "vendor": "Apple",
        "product_type": "Music > Players", "tags": "small, loud", "status": "active", "published_at": moment(-60),
        "updated_at": moment(minutes),
        "variants": [
            {"id": 39072856, "title": "Green", "sku": "IPOD2008GREEN", "price": "199.00", "inventory_item_id": 44,
             "inventory_quantity": 7, "inventory_management": "shopify", "inventory_policy": "deny"},
            {"id": 39072857, "title": "Red", "sku": "", "price": "189.00", "inventory_item_id": 45,
             "inventory_quantity": 3, "inventory_management": "shopify", "inventory_policy": "deny"},
        ],
    }  # fmt: skip
    return product | changes


def level(item=44, available=4, minutes=10, location=1):
    return {
        "inventory_item_id": item, "location_id": location, "available": available, "updated_at": moment(minutes),
    }  # fmt: skip


def gmt(minutes=0):
    return moment(minutes)[:19]


def woo_order(**changes):
    order = {
        "id": 727, "status": "processing", "currency": "EUR", "customer_id": 26, "customer_note": PERSONAL,
        "customer_ip_address": PERSONAL, "date_created_gmt": gmt(), "date_modified_gmt": gmt(5),
        "date_paid_gmt": gmt(1), "created_via": "checkout", "billing": ADDRESS, "shipping": ADDRESS,
        "line_items": [
            {"id": 315, "name": "Woo Single #1", "product_id": 93, "variation_id": 0, "quantity": 2,
             "total": "6.01", "sku": "WOO-93", "price": 3.005, "meta_data": [{"key": "to", "value": PERSONAL}]},
        ],
    }  # fmt: skip
    return copy.deepcopy(order) | changes


def woo_product(minutes=0, **changes):
    product = {
        "id": 93, "name": "Caf&eacute; &#8211; <b>bold</b>", "type": "simple", "status": "publish", "parent_id": 0,
        "catalog_visibility": "visible", "description": "<p>Strong &amp; black</p>", "sku": "WOO-93",
        "price": "21.99", "regular_price": "24.00", "manage_stock": True, "stock_quantity": 5,
        "stock_status": "instock", "backorders_allowed": False, "date_modified_gmt": gmt(minutes),
        "categories": [{"id": 9, "name": "Coffee &amp; tea", "slug": "coffee"}], "tags": [{"name": "hot"}],
        "brands": [],
    }  # fmt: skip
    return product | changes
