"""django-oscar in the same project: what its orders and products mean here. Nothing of oscar is imported."""

from __future__ import annotations

import datetime as dt
import html
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils.html import strip_tags

from shop_reco.products.services import ProductDraft

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "shop_reco/oscar")
GONE = frozenset({"cancelled", "canceled", "refunded", "returned"})
"""Statuses that take an order's purchases back, in whatever case a shop writes them."""


def sku_of(product: Any) -> str:
    """The product's own code, else one made of its key."""
    return str(product.upc or f"oscar-{product.pk}")


def order_events(order: Any) -> list[dict[str, Any]]:
    """The purchases of an order; the same ids however often it is told."""
    return list(_events(order, "purchase", order.date_placed))


def refund_events(order: Any, *, at: dt.datetime) -> list[dict[str, Any]]:
    """What takes the purchases of an order back."""
    return list(_events(order, "refund", at))


def _events(order: Any, kind: str, at: dt.datetime) -> Iterator[dict[str, Any]]:
    for line in order.lines.all():
        if line.product is None:  # gone from oscar's catalogue
            continue
        yield {
            "id": uuid.uuid5(NAMESPACE, f"{kind}/{order.number}/{line.pk}"),
            "type": kind,
            "sku": sku_of(line.product),
            "order": str(order.number),
            "quantity": line.quantity,
            "price": (Decimal(line.line_price_incl_tax) / line.quantity).quantize(Decimal("0.01")),
            "currency": order.currency,
            "occurred_at": at,
        }


def draft_of(product: Any) -> ProductDraft:
    """A product as oscar has it now; its price and stock are those of its first stock record."""
    category = next(iter(product.get_categories().all()), None)
    kind = product.get_product_class()
    return ProductDraft(
        sku=sku_of(product),
        title=product.get_title(),
        description=html.unescape(strip_tags(product.description or "")),
        category=tuple(category.full_name.split(category._full_name_separator)) if category else (),
        visible=product.is_public,
        parent_sku=sku_of(product.parent) if product.is_child else "",
        updated_at=product.date_updated,
        attributes={"product_class": kind.name} if kind else {},
        unsaid=frozenset({"price", "stock"}),
    )


def offer_of(record: Any) -> tuple[Decimal | None, str, int | None]:
    """Price, currency and pieces left of a stock record; None where pieces are not counted."""
    counted = record.product.get_product_class().track_stock
    return record.price, record.price_currency, max(record.net_stock_level, 0) if counted else None
