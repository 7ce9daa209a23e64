"""Shopify's webhooks: headers, the fields that are read, and what they mean here.

The signature covers the body alone, so nothing is believed of the headers that the body does not bear out: the
topic only says which kind of thing the body is, and a body of another kind is refused.

Source:
    https://shopify.dev/docs/api/webhooks and https://shopify.dev/docs/apps/build/webhooks
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
    Level,
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

LINE = {
    "id": True, "product_id": True, "variant_id": True, "sku": True, "quantity": True, "price": True,
    "discount_allocations": {"amount": True},
}  # fmt: skip
REFUND = {
    "id": True, "order_id": True, "created_at": True, "processed_at": True,
    "refund_line_items": {"id": True, "line_item_id": True, "quantity": True, "line_item": LINE},
}  # fmt: skip
ORDER = {
    "id": True, "test": True, "created_at": True, "processed_at": True, "cancelled_at": True, "currency": True,
    "source_name": True, "customer": {"id": True}, "line_items": LINE, "refunds": REFUND,
}  # fmt: skip
PRODUCT = {
    "id": True, "title": True, "body_html": True, "vendor": True, "product_type": True, "tags": True,
    "status": True, "published_at": True, "updated_at": True, "category": {"full_name": True},
    "variant_gids": {"admin_graphql_api_id": True},
    "variants": {
        "id": True, "sku": True, "title": True, "price": True, "inventory_item_id": True,
        "inventory_quantity": True, "inventory_management": True, "inventory_policy": True,
    },
}  # fmt: skip
LEVEL = {"inventory_item_id": True, "location_id": True, "available": True, "updated_at": True}
GONE: Mapping[str, Any] = {"id": True, "title": True, "line_items": {}}
"""A deletion has an id alone; the rest tells another thing apart from it."""

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "orders/create": ORDER,
    "orders/paid": ORDER,
    "orders/updated": ORDER,
    "orders/cancelled": ORDER,
    "refunds/create": REFUND,
    "products/create": PRODUCT,
    "products/update": PRODUCT,
    "products/delete": GONE,
    "inventory_levels/update": LEVEL,
    "customers/redact": {"customer": {"id": True}, "orders_to_redact": True, "line_items": {}},
}
"""The topics that are known, and what is read of each; nothing else of a payload is ever kept."""

ERASING = frozenset({"customers/redact"})


def read(topic: str, payload: Any, origin: Origin, *, sent_at: dt.datetime) -> Work:
    """What a delivery asks for. ``sent_at`` dates a deletion, whose payload has no date.

    Raises:
        MappingError: If the payload is not what the topic promises.
    """
    body, work = thing(payload, "the body"), Work()
    match topic:
        case "orders/create" | "orders/paid" | "orders/updated" | "orders/cancelled":
            _order(body, origin, work)
        case "refunds/create":
            order = identifier(body.get("order_id"), "order_id")
            _refund(body, order, "", origin, work)
        case "products/create" | "products/update":
            _product(body, origin, work)
        case "products/delete":
            if "title" in body or "line_items" in body:
                raise MappingError("id must be all that a deletion says")
            work.gone.append((f"product:{identifier(body.get('id'), 'id')}", sent_at))
        case "inventory_levels/update":
            _level(body, origin, work)
        case "customers/redact":
            if "orders_to_redact" not in body or "line_items" in body:
                raise MappingError("orders_to_redact is missing: this asks for nobody's erasure")
            shopper = origin.shopper(thing(body.get("customer"), "customer").get("id"))
            if not shopper:
                raise MappingError("customer.id is missing: this asks for nobody's erasure")
            work.erased.append(shopper)
        case _:
            work.ignored[topic] += 1
    return work


def _order(order: Mapping[str, Any], origin: Origin, work: Work) -> None:
    number_ = identifier(order.get("id"), "id")
    lines = things(order.get("line_items"), "line_items")
    if order.get("test") is True:
        work.ignored["test order"] += len(lines)
        return
    customer = order.get("customer")
    shopper = origin.shopper(thing(customer, "customer").get("id")) if customer is not None else ""
    if not shopper:
        work.ignored["guest order"] += len(lines)
        return
    bought_at = moment(order.get("processed_at") or order.get("created_at"), "created_at", UTC)
    shared = {
        "shopper": shopper,
        "order": number_,
        "currency": order.get("currency") or origin.currency,
        "channel": "store" if order.get("source_name") == "pos" else "web",
    }
    left: dict[str, int] = {}
    for line in lines:
        line_id = identifier(line.get("id"), "line_items.id")
        items = _items(line)
        quantity = whole(line.get("quantity"), "line_items.quantity")
        if not items or quantity < 1:
            work.ignored["line without a product"] += 1
            continue
        left[line_id] = quantity
        sold = {
            **shared, "id": origin.event_id("order", number_, line_id), "type": "purchase", "sku": line.get("sku"),
            "occurred_at": bought_at, "quantity": quantity, "price": _paid(line, quantity),
        }  # fmt: skip
        work.events.append(Reported(raw=sold, items=items))
    for refund in things(order.get("refunds") or [], "refunds"):
        for line_id, quantity in _refund(refund, number_, shopper, origin, work).items():
            left[line_id] = left.get(line_id, 0) - quantity
    if order.get("cancelled_at"):
        cancelled_at = moment(order["cancelled_at"], "cancelled_at", UTC)
        for line in lines:
            line_id = str(line.get("id"))
            if left.get(line_id, 0) > 0:
                returned = {
                    **shared, "id": origin.event_id("cancel", number_, line_id), "type": "refund",
                    "sku": line.get("sku"), "occurred_at": cancelled_at, "quantity": left[line_id],
                    "price": _paid(line, whole(line.get("quantity"), "line_items.quantity")),
                }  # fmt: skip
                bought = origin.event_id("order", number_, line_id)
                work.events.append(Reported(raw=returned, items=_items(line), answers=bought))


def _refund(refund: Mapping[str, Any], order: str, shopper: str, origin: Origin, work: Work) -> dict[str, int]:
    """Report what came back; returns how many pieces of each line of the order."""
    refund_id = identifier(refund.get("id"), "refund.id")
    back: dict[str, int] = {}
    for each in things(refund.get("refund_line_items"), "refund_line_items"):
        line = thing(each.get("line_item"), "refund_line_items.line_item")
        line_id = identifier(each.get("line_item_id") or line.get("id"), "refund_line_items.line_item_id")
        quantity = whole(each.get("quantity"), "refund_line_items.quantity")
        items = _items(line)
        if quantity < 1 or not items:
            work.ignored["refund without a product"] += 1
            continue
        back[line_id] = back.get(line_id, 0) + quantity
        returned = {
            "id": origin.event_id("refund", refund_id, identifier(each.get("id"), "refund_line_items.id")),
            "type": "refund",
            "shopper": shopper,
            "order": order,
            "sku": line.get("sku"),
            "occurred_at": moment(refund.get("processed_at") or refund.get("created_at"), "created_at", UTC),
            "quantity": quantity,
            "price": _paid(line, whole(line.get("quantity") or quantity, "line_item.quantity")),
            "currency": origin.currency,
        }
        work.events.append(Reported(raw=returned, items=items, answers=origin.event_id("order", order, line_id)))
    return back


def _items(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what a line sold; empty for a tip or a custom item, which no product stands behind."""
    named = (("variant", line.get("variant_id")), ("product", line.get("product_id")))
    return tuple(f"{kind}:{identifier(each, f'line_items.{kind}_id')}" for kind, each in named if each)


def _paid(line: Mapping[str, Any], quantity: int) -> Decimal:
    """Of one piece, after the discounts on the line."""
    allocated = things(line.get("discount_allocations") or [], "discount_allocations")
    discount = sum((number(each.get("amount"), "discount_allocations.amount") for each in allocated), Decimal())
    return max(cents(number(line.get("price"), "line_items.price") - discount / max(quantity, 1)), Decimal("0.00"))


def _product(product: Mapping[str, Any], origin: Origin, work: Work) -> None:
    product_id = identifier(product.get("id"), "id")
    variants = things(product.get("variants"), "variants")
    at = moment(product.get("updated_at"), "updated_at", UTC)
    name = f"product:{product_id}"
    shared: dict[str, Any] = {
        "description": html.unescape(strip_tags(str(product.get("body_html") or ""))),
        "category": _category(product),
        "brand": str(product.get("vendor") or ""),
        "visible": product.get("status") in (None, "active") and product.get("published_at") is not None,
        "attributes": {"tags": _tags(product.get("tags"))},
        "currency": origin.currency,
        "updated_at": at,
    }
    title = str(product.get("title") or "")
    drafts: list[tuple[str, ProductDraft]] = []
    aliases: dict[str, str] = {}
    parent_sku = ""
    if len(variants) != 1:
        parent_sku = f"{origin.prefix}shopify-{product_id}"
        prices = [number(each["price"], "variants.price") for each in variants if each.get("price") is not None]
        prices = [each for each in prices if each >= 0]  # a bad one is for its own row to say
        parent = ProductDraft(
            sku=parent_sku, title=title, price=min(prices, default=None), stock=_stock_of_all(variants), **shared
        )
        drafts.append((name, parent))
    taken = {parent_sku}
    for variant in variants:
        variant_id = identifier(variant.get("id"), "variants.id")
        sku = str(variant.get("sku") or "").strip()
        if not sku or sku in taken:
            sku = f"{origin.prefix}shopify-{product_id}-{variant_id}"
        taken.add(sku)
        own, called = str(variant.get("title") or ""), f"variant:{variant_id}"
        draft = ProductDraft(
            sku=sku,
            title=f"{title} - {own}" if parent_sku and own else title,
            price=None if variant.get("price") is None else number(variant["price"], "variants.price"),
            stock=_stock(variant),
            parent_sku=parent_sku,
            **shared,
        )
        drafts.append((called, draft))
        if variant.get("inventory_item_id"):
            aliases[f"inventory:{identifier(variant['inventory_item_id'], 'inventory_item_id')}"] = called
    if len(variants) == 1:
        aliases[name] = drafts[0][0]
    elsewhere = product.get("variant_gids")
    partial = isinstance(elsewhere, list) and len(elsewhere) > len(variants)
    work.listings.append(Listing(name=name, at=at, drafts=drafts, aliases=aliases, partial=partial))


def _stock_of_all(variants: list[Mapping[str, Any]]) -> int | None:
    """The parent's: what its variants have together; not counted if one is not."""
    counts = [_stock(each) for each in variants]
    counted = [each for each in counts if each is not None]
    return sum(counted) if counts and len(counted) == len(counts) else None


def _stock(variant: Mapping[str, Any]) -> int | None:
    if variant.get("inventory_management") is None or variant.get("inventory_policy") == "continue":
        return None
    quantity = variant.get("inventory_quantity")
    return None if quantity is None else max(whole(quantity, "variants.inventory_quantity"), 0)


def _category(product: Mapping[str, Any]) -> tuple[str, ...]:
    standard = product.get("category")
    full = str(standard.get("full_name") or "") if isinstance(standard, Mapping) else ""
    named = full or str(product.get("product_type") or "")
    return tuple(part.strip() for part in named.split(">") if part.strip())


def _tags(tags: Any) -> list[str]:
    parts = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []
    return [str(each).strip() for each in parts if str(each).strip()][:100]


def _level(level: Mapping[str, Any], origin: Origin, work: Work) -> None:
    item = f"inventory:{identifier(level.get('inventory_item_id'), 'inventory_item_id')}"
    location = identifier(level.get("location_id"), "location_id")
    if level.get("available") is None:  # the room does not stock it
        work.ignored["level without a count"] += 1
        return
    pieces = max(whole(level["available"], "available"), 0)
    at = moment(level.get("updated_at"), "updated_at", UTC)
    work.levels.append(Level(item=item, location=location, pieces=pieces, at=at))
