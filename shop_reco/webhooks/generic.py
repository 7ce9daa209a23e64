"""Our own webhook, for any shop: ``{"topic": ..., "data": [...]}``, with id, time and body under the signature."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from shop_reco.conf import reco_settings
from shop_reco.products.services import ProductDraft, TranslationDraft

from .work import WHOLE, Change, MappingError, Origin, Reported, Work, moment, number, things

EVENT = {
    "id": True, "type": True, "shopper": True, "sku": True, "product": True, "order": True, "occurred_at": True,
    "quantity": True, "price": True, "currency": True, "channel": True, "rating": True, "text": True,
    "query": True, "slate_id": True,
}  # fmt: skip
PRODUCT = {
    "sku": True, "title": True, "description": True, "category": True, "brand": True, "price": True,
    "currency": True, "stock": True, "visible": True, "parent_sku": True, "updated_at": True,
    "attributes": WHOLE, "translations": WHOLE,
}  # fmt: skip
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "events": {"topic": True, "data": EVENT},
    "products/upsert": {"topic": True, "data": PRODUCT},
    "products/delete": {"topic": True, "data": {"sku": True, "updated_at": True}},
    "products/stock": {"topic": True, "data": {"sku": True, "stock": True, "updated_at": True}},
    "products/price": {"topic": True, "data": {"sku": True, "price": True, "currency": True, "updated_at": True}},
}
"""The topics that are known, and what is kept of one that failed."""


def read(topic: str, payload: Any, origin: Origin, *, sent_at: dt.datetime) -> Work:
    """What a delivery asks for. ``sent_at`` dates the rows without a date of their own.

    Raises:
        MappingError: If the payload is not what the topic promises.
    """
    work = Work()
    if topic not in SHAPES:
        work.ignored[topic] += 1
        return work
    rows = things(payload.get("data"), "data")
    if len(rows) > reco_settings().UPSERT_ROWS:
        raise MappingError(f"data may have {reco_settings().UPSERT_ROWS} rows at most, not {len(rows)}")
    for index, row in enumerate(rows):
        said = row.get("updated_at")
        at = sent_at if said is None else moment(said, f"data[{index}].updated_at", origin.time_zone)
        sku = row.get("sku")
        match topic:
            case "events":
                _event(row, origin, work)
            case "products/upsert":
                work.drafts.append(_draft(row, index, origin, at))
            case "products/delete":
                work.deleted.append((sku, at))
            case "products/stock":
                work.changes.append(Change(column="stock", sku=sku, value=row.get("stock"), at=at))
            case "products/price":
                currency = row.get("currency") or ""
                work.changes.append(Change(column="price", sku=sku, value=row.get("price"), currency=currency, at=at))
    return work


def _event(row: Mapping[str, Any], origin: Origin, work: Work) -> None:
    shopper = origin.shopper(row.get("shopper"))
    if not shopper:
        work.ignored["guest"] += 1
        return
    work.events.append(Reported(raw={name: row[name] for name in EVENT if name in row} | {"shopper": shopper}))


def _draft(row: Mapping[str, Any], index: int, origin: Origin, at: dt.datetime) -> ProductDraft:
    """The row's own words; whether they can be stored is for the catalogue to say."""
    category, translations = row.get("category") or (), row.get("translations") or {}
    if not isinstance(category, list | tuple) or not isinstance(translations, Mapping):
        raise MappingError(f"data[{index}]: category must be a list of names, translations an object by language")
    price = row.get("price")
    return ProductDraft(
        sku=row.get("sku") or "",
        title=row.get("title") or "",
        description=row.get("description") or "",
        category=tuple(category),
        brand=row.get("brand") or "",
        price=None if price is None else number(price, f"data[{index}].price"),
        currency=row.get("currency") or origin.currency,
        stock=row.get("stock"),
        visible=row.get("visible") is not False,
        parent_sku=row.get("parent_sku") or "",
        attributes=row.get("attributes") or {},
        translations={name: _translation(each, index) for name, each in translations.items()},
        updated_at=at,
        unsaid=frozenset({"price", "stock", "visible"} - row.keys()),
    )


def _translation(value: Any, index: int) -> TranslationDraft:
    if not isinstance(value, Mapping):
        raise MappingError(f"data[{index}]: each of translations must be an object with a title")
    return TranslationDraft(
        title=value.get("title") or "",
        description=value.get("description") or "",
        keywords=value.get("keywords") or "",
    )
