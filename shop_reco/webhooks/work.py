"""What a delivery asks for, in our own words: the mappings make it, the services carry it out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from shop_reco.products.services import ProductDraft


class MappingError(ValueError):
    """The payload is not what its topic promises; the message names the field."""


UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose payload it is: what the mappings need to know of a source."""

    key: str
    prefix: str = ""
    currency: str = ""
    time_zone: ZoneInfo = UTC

    def shopper(self, customer: object) -> str:
        """The shopper's id here; empty for a guest.

        Raises:
            MappingError: If ``customer`` is no id.
        """
        return "" if customer in (None, "", 0, "0") else self.prefix + identifier(customer, "the customer's id", 100)

    def event_id(self, *parts: object) -> uuid.UUID:
        """The same for the same thing, however often and in whatever payload it is told."""
        return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("shop_reco", self.key, *map(str, parts))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An event to be recorded.

    ``items`` are the source's names for the product, the best first; ``raw`` has its sku for want of a known one.
    A refund that names no shopper is the one's whose purchase it ``answers``.
    """

    raw: dict[str, Any]
    items: tuple[str, ...] = ()
    answers: uuid.UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A product of the source as a whole, with all its variants, as it was ``at`` a moment.

    ``drafts`` pairs the source's names with the rows; what belonged to the product before and is not among them
    is deleted, unless the account is ``partial``. ``aliases`` are more names for the same rows.
    """

    name: str
    at: dt.datetime
    drafts: list[tuple[str, ProductDraft]]
    aliases: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How many pieces one stock room of the source has."""

    item: str
    location: str
    pieces: int
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new stock or price of one product, unchecked as it came."""

    column: str
    sku: Any
    value: Any
    currency: str = ""
    at: dt.datetime


@dataclass(slots=True)
class Work:
    """Everything a delivery asks for; ``ignored`` counts what it does not, by reason."""

    events: list[Reported] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    gone: list[tuple[str, dt.datetime]] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    drafts: list[ProductDraft] = field(default_factory=list)
    deleted: list[tuple[Any, dt.datetime]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


Shape = Mapping[str, Any]
WHOLE = "whole"
"""In a shape: whatever lies below, as it is."""


def slim(value: Any, shape: Shape) -> Any:
    """``value`` with only what ``shape`` names: True for scalars, a mapping for what lies below, or WHOLE."""
    if isinstance(value, list):
        return [slim(each, shape) for each in value]
    if not isinstance(value, Mapping):
        return None
    kept = {}
    for name, below in shape.items():
        inner = value.get(name)
        if below is WHOLE or (below is True and _scalar(inner)):
            kept[name] = inner
        elif below is True and isinstance(inner, list):
            kept[name] = [each for each in inner if _scalar(each)]
        elif below is not True and isinstance(inner, Mapping | list):
            kept[name] = slim(inner, below)
    return {name: kept[name] for name in kept if name in value}


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | Decimal)


def thing(value: Any, name: str) -> Mapping[str, Any]:
    """Raises MappingError."""
    if not isinstance(value, Mapping):
        raise MappingError(f"{name} must be an object")
    return value


def things(value: Any, name: str) -> list[Mapping[str, Any]]:
    """Raises MappingError."""
    if not isinstance(value, list):
        raise MappingError(f"{name} must be a list")
    return [thing(each, f"{name}[{index}]") for index, each in enumerate(value)]


def identifier(value: Any, name: str, most: int = 64) -> str:
    """Raises MappingError."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not 1 <= len(text) <= most or "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise MappingError(f"{name} must be an id of 1 to {most} characters")
    return text


def number(value: Any, name: str) -> Decimal:
    """Money or a count, from a string or a JSON number; never by way of a float.

    Raises:
        MappingError: If it is none.
    """
    try:
        if isinstance(value, bool):
            raise ValueError
        found = Decimal(str(value))
        if not found.is_finite() or abs(found) > Decimal(10) ** 15:
            raise ValueError
    except (ValueError, ArithmeticError):
        raise MappingError(f"{name} must be a number") from None
    return found


def whole(value: Any, name: str) -> int:
    """Raises MappingError."""
    found = number(value, name)
    if found != int(found):
        raise MappingError(f"{name} must be a whole number")
    return int(found)


def moment(value: Any, name: str, zone: ZoneInfo) -> dt.datetime:
    """A time in ISO 8601; one without a zone is read in ``zone``.

    Raises:
        MappingError: If it is none.
    """
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise MappingError(f"{name} must be a time in ISO 8601")
    try:
        return timezone.make_aware(found, zone) if timezone.is_naive(found) else found
    except (ValueError, OverflowError):
        raise MappingError(f"{name} must be a time in ISO 8601") from None


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
