"""From a row of a file to a product as the catalogue takes it; the catalogue checks it."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from shop_reco.tables.writing import Writing

from .drafts import OPTIONAL, ProductDraft
from .errors import ProductError

FIELDS = (
    "sku", "title", "description", "category", "brand", "price", "currency", "stock", "visible", "parent",
    "attributes", "available_from", "available_until", "updated_at",
)  # fmt: skip
NEEDED = ("sku", "title")
PREFIX = "attr:"
SAID = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
WINDOW = ("available_from", "available_until")


def draft_of(named: Mapping[str, Any], present: Collection[str], writing: Writing) -> ProductDraft:
    """``present`` names the fields that the file, or a row that names its own, has at all.

    Raises:
        ProductError: If a value is not what its field is made of.
    """
    start, end = (_time(named, name, writing) for name in WINDOW)
    return ProductDraft(
        sku=_text(named, "sku"),
        title=_text(named, "title"),
        description=_text(named, "description"),
        category=_path(named, writing),
        brand=_text(named, "brand"),
        price=_number(named, "price", writing),
        currency=_text(named, "currency"),
        stock=_stock(named),
        visible=_visible(named),
        parent_sku=_text(named, "parent"),
        attributes=_attributes(named),
        updated_at=_time(named, "updated_at", writing),
        unsaid=OPTIONAL.difference(present),
        window=(start, end) if any(name in present for name in WINDOW) else None,
    )


def _text(named: Mapping[str, Any], name: str) -> str:
    value = named.get(name)
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if isinstance(value, float) and value.is_integer():  # how tables keep whole numbers beside empty cells
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProductError("BAD_FIELD", name, f"must be a text, not a {type(value).__name__}")
    return str(value)


def _path(named: Mapping[str, Any], writing: Writing) -> tuple[str, ...]:
    value = named.get("category")
    parts = value if isinstance(value, list) else _text(named, "category").split(writing.separator)
    return tuple(name for part in parts if (name := _text({"category": part}, "category")))


def _number(named: Mapping[str, Any], name: str, writing: Writing) -> Any:
    value = named.get(name)
    return writing.number(value.strip()) if isinstance(value, str) else value


def _stock(named: Mapping[str, Any]) -> int | None:
    value = named.get("stock")
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not number.is_integer():
        raise ProductError("BAD_FIELD", "stock", "must be a whole number, or empty: not counted")
    return int(number)


def _visible(named: Mapping[str, Any]) -> bool:
    value = named.get("visible")
    found = True if value is None else SAID.get(str(value).strip().lower())
    if found is None:
        raise ProductError("BAD_FIELD", "visible", "must be true or false")
    return found


def _attributes(named: Mapping[str, Any]) -> dict[str, Any]:
    value = named.get("attributes") or {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise ProductError("BAD_FIELD", "attributes", 'must be a JSON object like {"colour": "red"}')
    return {**value, **{name[len(PREFIX) :]: each for name, each in named.items() if name.startswith(PREFIX)}}


def _time(named: Mapping[str, Any], name: str, writing: Writing) -> dt.datetime | None:
    value = named.get(name)
    if value is None:
        return None
    try:
        return writing.moment(value.strip() if isinstance(value, str) else value)
    except ValueError as error:
        raise ProductError("BAD_FIELD", name, str(error)) from None
