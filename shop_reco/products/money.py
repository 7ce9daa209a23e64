"""Prices from outside, as a column can keep them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from .models import Product

COLUMN = Product._meta.get_field("price")
PLACES = Decimal(1).scaleb(-COLUMN.decimal_places)
HIGHEST = Decimal(10) ** (COLUMN.max_digits - COLUMN.decimal_places) - PLACES


def price_from(value: object) -> Decimal:
    """``value`` with as many places as are stored.

    Raises:
        ValueError: If it is no number, below zero or too high; the message goes on from the field's name.
    """
    try:
        price = Decimal(str(value))
    except (InvalidOperation, ValueError):
        raise ValueError("must be a decimal number") from None
    wrong = ValueError(f"must lie between 0 and {HIGHEST}")
    # NaN cannot be compared, and what is far too high cannot be rounded
    if not price.is_finite() or not 0 <= price <= HIGHEST + 1:
        raise wrong
    price = abs(price.quantize(PLACES))  # abs: -0 would be shown as such
    if price > HIGHEST:  # only now: SQLite keeps what was rounded up over the limit, and then cannot read it
        raise wrong
    return price
