"""From a row of a file to a product as the catalogue takes it, checked field by field."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shop_reco.tables.writing import Writing

from .money import price_from
from .services import ProductDraft

FIELDS = (
    "sku", "title", "description", "category", "brand", "price", "currency", "stock", "visible", "parent",
    "attributes", "available_from", "available_until",
)  # fmt: skip
NEEDED = ("sku", "title")
PREFIX = "attr:"
TRUE = frozenset({"true", "1", "yes", "y", "t"})
FALSE = frozenset({"false", "0", "no", "n", "f"})
MOST_STOCK = 2_147_483_647


@dataclass(frozen=True, kw_only=True)
class RowError(Exception):
    """Why a row is no product: the field, and a sentence that goes on from its name."""

    field: str
    why: str
    code: str = "BAD_FIELD"

    def __str__(self) -> str:
        return f"{self.field} {self.why}"


def draft_of(named: Mapping[str, Any], writing: Writing) -> ProductDraft:
    """Raises RowError naming the first field that is wrong."""
    start, end = (_time(named, name, writing) for name in ("available_from", "available_until"))
    if start and end and start >= end:
        raise RowError(field="available_until", why="must be after available_from")
    return ProductDraft(
        sku=_text(named, "sku", 64, needed=True),
        title=_text(named, "title", 256, needed=True),
        description=_text(named, "description", None),
        category=_path(named, writing),
        brand=_text(named, "brand", 128),
        price=_price(named, writing),
        currency=_currency(named),
        stock=_stock(named),
        visible=_visible(named),
        parent_sku=_text(named, "parent", 64),
        attributes=_attributes(named),
        available_from=start,
        available_until=end,
    )


def _storable(text: str) -> bool:
    return "\x00" not in text and text.encode(errors="replace").decode() == text


def _text(named: Mapping[str, Any], name: str, longest: int | None, *, needed: bool = False) -> str:
    value = named.get(name)
    if isinstance(value, dict | list | tuple | bytes | bool):
        raise RowError(field=name, why=f"must be a text, not a {type(value).__name__}")
    if isinstance(value, float) and value.is_integer():  # how tables keep whole numbers beside empty cells
        value = int(value)
    text = "" if value is None else str(value).strip()
    if needed and not text:
        raise RowError(field=name, why="is empty")
    if not _storable(text):
        raise RowError(field=name, why="has characters that cannot be stored")
    if longest is not None and len(text) > longest:
        raise RowError(field=name, code="TOO_LONG", why=f"may have {longest} characters at most")
    return text


def _path(named: Mapping[str, Any], writing: Writing) -> tuple[str, ...]:
    value = named.get("category")
    parts = value if isinstance(value, list) else _text(named, "category", None).split(writing.separator)
    path = tuple(part for part in (_text({"category": each}, "category", 128) for each in parts) if part)
    if len(" > ".join(path)) > 512:
        raise RowError(field="category", code="TOO_LONG", why="may have 512 characters at most, with its parents")
    return path


def _price(named: Mapping[str, Any], writing: Writing) -> Decimal | None:
    value = named.get("price")
    if value is None:
        return None
    try:
        return price_from(writing.number(value.strip()) if isinstance(value, str) else value)
    except ValueError as error:
        raise RowError(field="price", why=str(error)) from None


def _currency(named: Mapping[str, Any]) -> str:
    text = _text(named, "currency", None).upper()
    if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise RowError(field="currency", why="must be three letters like EUR")
    return text


def _stock(named: Mapping[str, Any]) -> int | None:
    value = named.get("stock")
    if value is None:
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not 0 <= number <= MOST_STOCK or number != int(number):
        raise RowError(field="stock", why=f"must be a whole number from 0 to {MOST_STOCK}, or empty: not counted")
    return int(number)


def _visible(named: Mapping[str, Any]) -> bool:
    value = named.get("visible")
    text = "true" if value is None else str(value).strip().lower()
    if text not in TRUE | FALSE:
        raise RowError(field="visible", why="must be true or false")
    return text in TRUE


def _attributes(named: Mapping[str, Any]) -> dict[str, Any]:
    value = named.get("attributes")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = value or None
    if value is not None and not isinstance(value, dict):
        raise RowError(field="attributes", why='must be a JSON object like {"colour": "red"}')
    found = {**(value or {}), **{name[len(PREFIX) :]: each for name, each in named.items() if name.startswith(PREFIX)}}
    try:
        written = json.dumps(found, allow_nan=False, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise RowError(field="attributes", why="has a number that is none, or is nested too deep") from None
    if not _storable(written) or "\\u0000" in written:
        raise RowError(field="attributes", why="has characters that cannot be stored")
    return dict(json.loads(written))


def _time(named: Mapping[str, Any], name: str, writing: Writing) -> dt.datetime | None:
    value = named.get(name)
    if value is None:
        return None
    try:
        return writing.moment(value.strip() if isinstance(value, str) else value)
    except ValueError as error:
        raise RowError(field=name, why=str(error)) from None
