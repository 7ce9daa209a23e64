"""From what a client sent to an event that could be stored, field by field."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from shop_reco.conf import RecoSettings
from shop_reco.products.money import price_from

from .errors import EventError
from .models import Event

ALIASES = {
    "view": "view_item",
    "product_viewed": "view_item",
    "detail-page-view": "view_item",
    "click": "select_item",
    "cart": "add_to_cart",
    "addtocart": "add_to_cart",
    "product_added": "add_to_cart",
    "product_removed": "remove_from_cart",
    "wishlist": "add_to_wishlist",
    "order_completed": "purchase",
    "buy": "purchase",
    "transaction": "purchase",
    "return": "refund",
    "products_searched": "search",
    "rating": "rate",
}
"""Names of other trackers, and ours for the same thing."""

TYPES = frozenset(Event.Type.values)
CHANNELS = frozenset(Event.Channel.values)
FREE_OF_PRODUCT = frozenset({Event.Type.SEARCH, Event.Type.VIEW_ITEM_LIST})
SERVER_TYPES = frozenset({Event.Type.PURCHASE, Event.Type.REFUND})
NAME_CHARACTERS = 128
TYPE_CHARACTERS = 64
QUERY_CHARACTERS = 256
TEXT_CHARACTERS = 5000
MOST_PIECES = 1_000_000
SPELT = {"slate_id": "slateId"}
"""Fields that clients write otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """A well-formed event of a known shopper."""

    id: uuid.UUID
    shopper_id: int
    product_id: int | None
    type: str
    occurred_at: dt.datetime
    quantity: int = 1
    price: Decimal | None = None
    currency: str = ""
    order: str = ""
    channel: str = Event.Channel.WEB.value
    rating: float | None = None
    text: str = ""
    query: str = ""
    slate_id: uuid.UUID | None = None
    clock_skewed: bool = False
    dated: bool = True
    """Whether the client said when it happened; an arrival time is no part of what was said."""

    said_at: dt.datetime | None = None
    """What the client said, where the event was dated otherwise."""

    def digest(self) -> str:
        """Tell this event from another under the same id.

        Of times it takes the one that was said: what the server made of it depends on when it arrived, and
        the same event sent again later is still the same.
        """
        said = (
            self.shopper_id, self.product_id, self.type, self.quantity, self.price, self.currency, self.order,
            self.channel, self.rating, self.text, self.query, self.slate_id,
            (self.said_at or self.occurred_at).astimezone(dt.UTC).isoformat() if self.dated else None,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


def name_of(raw: Mapping[str, Any]) -> str:
    """The shop's own id of the shopper; empty for whoever sends the event.

    Raises:
        EventError: BAD_FIELD.
    """
    value = raw.get("shopper")
    if value is None or value == "":
        return ""
    name = _written(value)
    if name is None or len(name) > NAME_CHARACTERS or not storable(name):
        raise EventError("BAD_FIELD", f"shopper must be 1 to {NAME_CHARACTERS} characters that can be stored")
    return name


def _written(value: object) -> str | None:
    """A text, or a whole number as one; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
        return str(value)
    return None


def uuid_of(raw: Mapping[str, Any], field: str) -> uuid.UUID | None:
    value = raw.get(field)
    if value is None or isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise EventError("BAD_FIELD", f"{SPELT.get(field, field)} must be a UUID") from None


def known_type(raw: Mapping[str, Any]) -> str | None:
    """The type by our own name for it; None where it is no type of ours."""
    value = raw.get("type")
    if not isinstance(value, str) or len(value) > TYPE_CHARACTERS:
        return None
    named = value.strip().lower().replace(" ", "_")
    known = ALIASES.get(named, named)
    return known if known in TYPES else None


def type_of(raw: Mapping[str, Any]) -> str:
    known = known_type(raw)
    if known is None:
        raise EventError("UNKNOWN_TYPE", f"type must be one of {', '.join(Event.Type.values)}")
    return known


def channel_of(raw: Mapping[str, Any]) -> str:
    value = raw.get("channel")
    if value is None or value == "":
        return str(Event.Channel.WEB.value)
    channel = value.lower() if isinstance(value, str) else ""
    if channel not in CHANNELS:
        raise EventError("BAD_FIELD", f"channel must be one of {', '.join(Event.Channel.values)}")
    return channel


def storable(text: str) -> bool:
    """Whether every database takes it: no NUL and no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def text_of(raw: Mapping[str, Any], field: str, longest: int) -> str:
    value = raw.get(field)
    if value is None:
        return ""
    text = _written(value)
    if text is None:
        raise EventError("BAD_FIELD", f"{field} must be a text")
    # Normalising takes the square of the length for combining marks, and may lengthen the text.
    if len(text) > longest or len(text := unicodedata.normalize("NFC", text)) > longest:
        raise EventError("TOO_LONG", f"{field} may have {longest} characters at most")
    if not storable(text):
        raise EventError("BAD_FIELD", f"{field} has characters that cannot be stored")
    return text


class Dated(NamedTuple):
    """When an event happened, as far as can be told."""

    at: dt.datetime
    skewed: bool
    """The client's clock ran ahead, and the server's was taken instead."""
    said: dt.datetime | None
    """What the client said; None where it said nothing."""


def time_of(raw: Mapping[str, Any], *, now: dt.datetime, arrived: dt.datetime, reco: RecoSettings) -> Dated:
    """Raises EventError BAD_FIELD, TOO_OLD or IN_FUTURE.

    ``arrived`` is when an event that says nothing of its time happened.
    """
    value = raw.get("occurred_at")
    if value is None:
        return Dated(arrived, False, None)
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            value = None
    if not isinstance(value, dt.datetime) or timezone.is_naive(value):
        raise EventError("BAD_FIELD", "occurredAt must be an ISO 8601 time with a zone")
    try:
        value = value.astimezone(dt.UTC)
    except OverflowError:  # the first or last day of the calendar, in another zone
        raise EventError("BAD_FIELD", "occurredAt must be an ISO 8601 time with a zone") from None
    if value < now - dt.timedelta(days=reco.RETENTION_DAYS):
        raise EventError("TOO_OLD", f"occurredAt is more than {reco.RETENTION_DAYS} days ago")
    if value > now + dt.timedelta(days=1):
        raise EventError("IN_FUTURE", "occurredAt is more than a day ahead")
    if value > now + dt.timedelta(seconds=reco.CLOCK_SKEW):
        return Dated(now, True, value)
    return Dated(min(value, now), False, value)


def check_age(occurred_at: dt.datetime, *, kind: str, visitor: bool, now: dt.datetime, reco: RecoSettings) -> None:
    """Refuse what would have been folded already: stored once more, it would count twice.

    ``visitor``: it is of a shopper whom no account is known of, be they linked to one or not: a link may
    come after the folding, and be undone.

    Raises:
        EventError: TOO_OLD.
    """
    days = days_kept(kind=kind, visitor=visitor, reco=reco)
    if occurred_at < now - dt.timedelta(days=days):
        raise EventError("TOO_OLD", f"occurredAt is more than {days} days ago")


def days_kept(*, kind: str, visitor: bool, reco: RecoSettings) -> int:
    """After how many days an event of this kind is folded and deleted."""
    days = [reco.RETENTION_DAYS]
    if kind == Event.Type.SEARCH:
        days.append(reco.SEARCH_DAYS)
    if visitor:
        days.append(reco.ANONYMOUS_DAYS)
    return min(days)


def number_of(raw: Mapping[str, Any], field: str, *, lowest: float, highest: float) -> float | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise EventError("BAD_FIELD", f"{field} must be a number")
    # A NaN of floats is smaller than nothing; one of decimals cannot be compared.
    if (isinstance(value, Decimal) and value.is_nan()) or not lowest <= value <= highest:
        raise EventError("BAD_FIELD", f"{field} must lie between {lowest:.10g} and {highest:.10g}")
    return float(value)


def quantity_of(raw: Mapping[str, Any]) -> int:
    number = number_of(raw, "quantity", lowest=1, highest=MOST_PIECES)
    if number is None:
        return 1
    if not number.is_integer():
        raise EventError("BAD_FIELD", "quantity must be a whole number")
    return int(number)


def price_of(raw: Mapping[str, Any]) -> Decimal | None:
    value = raw.get("price")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise EventError("BAD_FIELD", "price must be a decimal number")
    try:
        return price_from(value)
    except ValueError as error:
        raise EventError("BAD_FIELD", f"price {error}") from None
