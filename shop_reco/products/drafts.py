"""From what another system says of a product to a row that could be stored, field by field."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from shop_reco.conf import RecoSettings

from .errors import ProductError
from .models import Brand, Category, Product, ProductTranslation
from .money import price_from

ATTRIBUTES_CHARACTERS = 10_000
MOST_STOCK = 2_147_483_647
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.ASCII)
SEPARATOR = " > "
OPTIONAL = frozenset({"price", "stock", "visible"})
"""What a draft may say nothing of, so that what is known stays."""


@dataclass(frozen=True, kw_only=True)
class TranslationDraft:
    title: str
    description: str = ""
    keywords: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductDraft:
    """A product as another system describes it; ``category`` is the path of names from the root.

    ``updated_at`` is when that was so by the other system's clock; None is now. ``unsaid`` names what the
    draft says nothing of, among "price" (with its currency), "stock" and "visible". ``window`` is from when until
    when the product is on sale, either end None for open; a window of None says nothing.
    """

    sku: str
    title: str
    description: str = ""
    category: tuple[str, ...] = ()
    brand: str = ""
    price: Decimal | None = None
    currency: str = ""
    stock: int | None = None
    visible: bool = True
    parent_sku: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, TranslationDraft] = field(default_factory=dict)
    updated_at: dt.datetime | None = None
    unsaid: frozenset[str] = frozenset()
    window: tuple[dt.datetime | None, dt.datetime | None] | None = None


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A draft whose every field can be stored; ``said`` has the columns by their clock."""

    sku: str
    at: dt.datetime
    category: tuple[str, ...]
    brand: str
    parent_sku: str
    said: dict[str, dict[str, Any]]
    translations: dict[str, dict[str, str]]


def checked(draft: ProductDraft, *, now: dt.datetime, reco: RecoSettings) -> CheckedRow:
    """Check one row.

    Raises:
        ProductError: Naming the first field that is wrong.
    """
    sku = sku_of(draft.sku)
    parent_sku = sku_of(draft.parent_sku, "parent_sku") if draft.parent_sku else ""
    if parent_sku == sku:
        raise ProductError("BAD_PARENT", "parent_sku", "names the product itself")
    described = {
        "title": text_of(draft.title, "title", longest(Product, "title"), needed=True),
        "description": text_of(draft.description, "description", reco.DESCRIPTION_CHARACTERS),
        "attributes": _attributes(draft.attributes),
    }
    said: dict[str, dict[str, Any]] = {"described_at": described}
    if "price" not in draft.unsaid:
        said["priced_at"] = {
            "price": price_of(draft.price),
            "currency": currency_of(draft.currency) or reco.CURRENCY,
        }
    if "stock" not in draft.unsaid:
        said["stocked_at"] = {"stock": stock_of(draft.stock)}
    if "visible" not in draft.unsaid:
        said["listed_at"] = {"visible": bool(draft.visible)}
    if draft.window is not None:
        said["listed_at"] = said.get("listed_at", {}) | _window(*draft.window)
    return CheckedRow(
        sku=sku,
        at=moment_of(draft.updated_at, now=now, reco=reco),
        category=_path(draft.category),
        brand=text_of(draft.brand, "brand", longest(Brand, "name")),
        parent_sku=parent_sku,
        said=said,
        translations=_translations(draft.translations, reco),
    )


def longest(model: Any, name: str) -> int:
    return int(model._meta.get_field(name).max_length)


def text_of(value: object, name: str, most: int, *, needed: bool = False) -> str:
    """``value`` without blanks around it.

    Raises:
        ProductError: BAD_FIELD, TOO_LONG or EMPTY.
    """
    if not isinstance(value, str):
        raise ProductError("BAD_FIELD", name, "must be a text")
    if len(value) > most:
        raise ProductError("TOO_LONG", name, f"may have {most} characters at most, not {len(value)}")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ProductError("BAD_FIELD", name, "has characters that cannot be stored")
    if needed and not value.strip():
        raise ProductError("EMPTY", name, "must not be empty")
    return value.strip()


def sku_of(value: object, name: str = "sku") -> str:
    return text_of(value, name, longest(Product, "sku"), needed=True)


def price_of(value: object) -> Decimal | None:
    try:
        return None if value is None else price_from(value)
    except ValueError as error:
        raise ProductError("BAD_FIELD", "price", str(error)) from None


def currency_of(value: str) -> str:
    currency = text_of(value, "currency", 3).upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise ProductError("BAD_FIELD", "currency", "must be three letters, as in EUR")
    return currency


def stock_of(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProductError("BAD_FIELD", "stock", "must be a whole number")
    if not 0 <= value <= MOST_STOCK:
        raise ProductError("BAD_FIELD", "stock", f"must lie between 0 and {MOST_STOCK}")
    return value


def moment_of(value: object, *, now: dt.datetime, reco: RecoSettings) -> dt.datetime:
    """The clock of a row; one that runs ahead would keep every later update out."""
    if value is None:
        return now
    if not isinstance(value, dt.datetime) or timezone.is_naive(value):
        raise ProductError("BAD_FIELD", "updated_at", "must be a time with a zone")
    if value > now + dt.timedelta(seconds=reco.CLOCK_SKEW):
        raise ProductError("IN_FUTURE", "updated_at", f"is more than {reco.CLOCK_SKEW:g} seconds ahead")
    return value


def _window(start: dt.datetime | None, end: dt.datetime | None) -> dict[str, Any]:
    for name, moment in (("available_from", start), ("available_until", end)):
        if moment is not None and timezone.is_naive(moment):
            raise ProductError("BAD_FIELD", name, "must be a time with a zone")
    if start and end and start >= end:
        raise ProductError("BAD_FIELD", "available_until", "must be after available_from")
    return {"available_from": start, "available_until": end}


def _path(names: tuple[str, ...]) -> tuple[str, ...]:
    path = tuple(text_of(name, "category", longest(Category, "name"), needed=True) for name in names)
    if any(SEPARATOR in name for name in path):
        raise ProductError("BAD_FIELD", "category", f"must be a list of names without {SEPARATOR!r} in them")
    text_of(SEPARATOR.join(path), "category", longest(Category, "path"))
    return path


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        written = json.dumps(dict(given), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise ProductError("BAD_FIELD", "attributes", "must be a JSON object") from None
    text_of(written.replace("\\u0000", "\x00"), "attributes", ATTRIBUTES_CHARACTERS)
    return dict(given)


def _translations(given: Mapping[str, TranslationDraft], reco: RecoSettings) -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for name, draft in given.items():
        language = str(name).lower().replace("_", "-")
        if len(language) > longest(ProductTranslation, "language") or LANGUAGE.fullmatch(language) is None:
            raise ProductError("BAD_FIELD", "translations", "must be named by languages, as in zh-hans")
        where = f"translations.{language}"
        told[language] = {
            "title": text_of(draft.title, f"{where}.title", longest(ProductTranslation, "title"), needed=True),
            "description": text_of(draft.description, f"{where}.description", reco.DESCRIPTION_CHARACTERS),
            "keywords": text_of(draft.keywords, f"{where}.keywords", longest(ProductTranslation, "keywords")),
        }
    return told
