"""Bringing what a django-oscar in the same project sells into the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from shop_reco.products.selectors import product_by_sku
from shop_reco.products.services import RowOutcome, set_price, set_stock, upsert_products

from . import oscar


def follow_all(products: Iterable[Any], *, batch: int = 500) -> Iterator[RowOutcome]:
    """Bring products into the catalogue, with the offer of their first stock record; parents must come first."""
    rest = iter(products)
    while chunk := list(islice(rest, batch)):
        yield from upsert_products(rows=[oscar.draft_of(product) for product in chunk])
        for product in chunk:
            if (record := product.stockrecords.first()) is not None:
                follow_offer(record)


def follow_offer(record: Any) -> None:
    """Keep the price and stock of a record, if its product is in the catalogue."""
    known = product_by_sku(sku=oscar.sku_of(record.product))
    if known is not None:
        price, currency, pieces = oscar.offer_of(record)
        set_price(product=known, price=price, currency=currency, at=record.date_updated)
        set_stock(product=known, stock=pieces, at=record.date_updated)
