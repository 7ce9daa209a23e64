"""WooCommerce's webhooks: the fields that are read, and what they mean here.

The signature covers the body alone and names no time. The delivery id is a hash of the webhook and the second,
the same for whatever one webhook sends within a second: the digest of the body is therefore a part of the id.

Source:
    https://woocommerce.github.io/woocommerce-rest-api-docs/ and WC_Webhook in WooCommerce 10
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.html import strip_tags

from shop_reco.products.services import ProductDraft

from .work import (
    UTC,
    Listing,
    MappingError,
    Origin,
    Reported,
    Work,
    cents,
    identifier,
    moment,
    number,
    thing,
    things,
    whole,
)

BOUGHT = frozenset({"processing", "completed", "refunded"})
"""Statuses of an order that was bought; one on hold or pending is not paid for yet."""

UNDONE = frozenset({"cancelled", "refunded", "failed"})
ORDER = {
    "id": True, "status": True, "currency": True, "date_created": True, "date_created_gmt": True,
    "date_modified": True, "date_modified_gmt": True, "date_paid": True, "date_paid_gmt": True,
    "customer_id": True, "created_via": True,
    "line_items": {
        "id": True, "product_id": True, "variation_id": True, "quantity": True, "total": True, "sku": True,
    },
}  # fmt: skip
PRODUCT = {
    "id": True, "name": True, "description": True, "short_description": True, "sku": True, "price": True,
    "regular_price": True, "status": True, "catalog_visibility": True, "type": True, "parent_id": True,
    "manage_stock": True, "stock_quantity": True, "stock_status": True, "backorders_allowed": True,
    "date_modified": True, "date_modified_gmt": True, "date_created": True, "date_created_gmt": True,
    "categories": {"name": True}, "brands": {"name": True}, "tags": {"name": True},
}  # fmt: skip
GONE: Mapping[str, Any] = {"id": True, "name": True, "line_items": {}}
"""A deletion has an id alone; the rest tells another thing apart from it."""

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "order.created": ORDER,
    "order.updated": ORDER,
    "order.restored": ORDER,
    "order.deleted": {"id": True},
    "product.created": PRODUCT,
    "product.updated": PRODUCT,
    "product.restored": PRODUCT,
    "product.deleted": GONE,
}
"""The topics that are known, and what is read of each; nothing else of a payload is ever kept."""


def read(topic: str, payload: Any, origin: Origin, *, sent_at: dt.datetime) -> Work:
    """What a delivery asks for. ``sent_at`` dates a deletion and what undoes it, which have no date of their own.

    Raises:
        MappingError: If the payload is not what the topic promises.
    """
    body, work = thing(payload, "the body"), Work()
    match topic:
        case "order.created" | "order.updated" | "order.restored":
            _order(body, origin, work)
        case "order.deleted":
            # who tidies old orders away does not take the goods back
            work.ignored["deleted order"] += 1
        case "product.created" | "product.updated":
            _product(body, origin, work, at=_dated(body, "date_modified", origin))
        case "product.restored":
            _product(body, origin, work, at=max(sent_at, _dated(body, "date_modified", origin)))
        case "product.deleted":
            if "name" in body or "line_items" in body:
                raise MappingError("id must be all that a deletion says")
            work.gone.append((f"product:{identifier(body.get('id'), 'id')}", sent_at))
        case _:
            work.ignored[topic] += 1
    return work


def _dated(body: Mapping[str, Any], name: str, origin: Origin) -> dt.datetime:
    """The time in UTC where it is given, else the shop's own."""
    if body.get(f"{name}_gmt"):
        return moment(body[f"{name}_gmt"], f"{name}_gmt", UTC)
    return moment(body.get(name), name, origin.time_zone)


def _order(order: Mapping[str, Any], origin: Origin, work: Work) -> None:
    number_, status = identifier(order.get("id"), "id"), str(order.get("status") or "")
    lines = things(order.get("line_items"), "line_items")
    paid = bool(order.get("date_paid_gmt") or order.get("date_paid"))
    shopper = origin.shopper(order.get("customer_id"))
    if not shopper:
        work.ignored["guest order"] += len(lines)
        return
    if status not in BOUGHT | UNDONE and not paid:
        work.ignored["order not paid yet"] += len(lines)
        return
    shared = {
        "order": number_,
        "currency": order.get("currency") or origin.currency,
        "channel": "store" if order.get("created_via") == "pos-rest-api" else "web",
    }
    for line in lines:
        line_id = identifier(line.get("id"), "line_items.id")
        quantity = whole(line.get("quantity"), "line_items.quantity")
        items = _items(line)
        if not items or quantity < 1:
            work.ignored["line without a product"] += 1
            continue
        price = max(cents(number(line.get("total"), "line_items.total") / quantity), Decimal("0.00"))
        told = {**shared, "sku": line.get("sku"), "quantity": quantity, "price": price}
        bought = origin.event_id("order", number_, line_id)
        if status in BOUGHT or paid:
            at = _dated(order, "date_created", origin)
            raw = {**told, "id": bought, "type": "purchase", "shopper": shopper, "occurred_at": at}
            work.events.append(Reported(raw=raw, items=items))
        if status in UNDONE:
            at = _dated(order, "date_modified", origin)
            # without a shopper: one that was never bought has nothing to give back
            back = {**told, "id": origin.event_id("back", number_, line_id), "type": "refund", "occurred_at": at}
            work.events.append(Reported(raw=back, items=items, answers=bought))


def _items(line: Mapping[str, Any]) -> tuple[str, ...]:
    named = (line.get("variation_id"), line.get("product_id"))
    return tuple(f"product:{identifier(each, 'line_items.product_id')}" for each in named if each)


def _product(product: Mapping[str, Any], origin: Origin, work: Work, *, at: dt.datetime) -> None:
    product_id = identifier(product.get("id"), "id")
    name = f"product:{product_id}"
    price = product.get("price")
    price = product.get("regular_price") if price in (None, "") else price
    text = str(product.get("description") or product.get("short_description") or "")
    tags = [str(each.get("name") or "") for each in things(product.get("tags") or [], "tags")]
    draft = ProductDraft(
        sku=str(product.get("sku") or "").strip() or f"{origin.prefix}woo-{product_id}",
        title=html.unescape(str(product.get("name") or "")),
        description=html.unescape(strip_tags(text)),
        category=_first(product, "categories"),
        brand="".join(_first(product, "brands")),
        price=None if price in (None, "") else number(price, "price"),
        currency=origin.currency,
        stock=_stock(product),
        visible=product.get("status") == "publish" and product.get("catalog_visibility") != "hidden",
        attributes={"tags": tags[:100]},
        updated_at=at,
    )
    parent = product.get("parent_id")
    owner = f"product:{identifier(parent, 'parent_id')}" if parent and product.get("type") == "variation" else ""
    work.listings.append(Listing(name=name, at=at, drafts=[(name, draft)], parent=owner))


def _first(product: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The first of several; the payload says nothing of what lies above it."""
    named = things(product.get(name) or [], name)
    first = html.unescape(str(named[0].get("name") or "")).replace(" > ", " / ").strip() if named else ""
    return (first,) if first else ()


def _stock(product: Mapping[str, Any]) -> int | None:
    if product.get("manage_stock") is True and product.get("stock_quantity") is not None:
        pieces = max(whole(product["stock_quantity"], "stock_quantity"), 0)
        return None if product.get("backorders_allowed") is True else pieces
    return 0 if product.get("stock_status") == "outofstock" else None
