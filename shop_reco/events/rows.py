"""From a row of a file to an event as the judge takes it."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shop_reco.tables.writing import Writing

from .errors import EventError

FIELDS = (
    "id", "type", "shopper", "product", "sku", "order", "occurred_at", "quantity", "price", "currency", "rating",
    "text", "query", "channel", "slate_id",
)  # fmt: skip
NEEDED = ("type", "shopper", "occurred_at", ("sku", "product", "query"))
NAMES = frozenset({"id", "shopper", "sku", "order"})
NAMESPACE = uuid.UUID("3c0f8d8e-0f6e-4f3a-9f0b-5f1d1a0c7b52")
WINDOW = 100_000
"""Rows within which one that says the same again is another event, and beyond which it is the same one."""
FIELD_OF_CODE = {
    "UNKNOWN_TYPE": "type", "UNKNOWN_PRODUCT": "sku", "TOO_OLD": "occurred_at", "IN_FUTURE": "occurred_at",
    "CONSENT_REQUIRED": "shopper", "ERASED": "shopper", "CONFLICT": "id",
}  # fmt: skip


def field_of(error: EventError) -> str:
    """The field that an error is about."""
    first = error.message.split(" ", 1)[0].replace("occurredAt", "occurred_at").replace("slateId", "slate_id")
    return FIELD_OF_CODE.get(error.code, first if first in FIELDS else "")


def event_of(named: Mapping[str, Any], writing: Writing) -> dict[str, Any]:
    """The fields of a row with times and numbers as such; the judge checks them.

    Raises:
        EventError: Naming the first field that cannot be told.
    """
    event = {name: _single(name, value) for name, value in named.items()}
    event = {name: value for name, value in event.items() if value != ""}
    if "shopper" not in event:
        raise EventError("BAD_FIELD", "shopper is empty; each event must say who did it")
    if "occurred_at" not in event:
        raise EventError("BAD_FIELD", "occurred_at is empty; each event must say when it happened")
    event["occurred_at"] = _moment(event["occurred_at"], writing)
    if (quantity := event.get("quantity")) is not None:
        event["quantity"] = _whole(_number(quantity, writing))
    if (rating := event.get("rating")) is not None:
        event["rating"] = _number(rating, writing)
    if isinstance(price := event.get("price"), str):
        event["price"] = writing.number(price)
    return event


def shopper_of(named: Mapping[str, Any]) -> dict[str, Any]:
    """The shopper's field alone, of a row of which nothing else may be told; empty where it names nobody."""
    try:
        name = _single("shopper", named.get("shopper", ""))
    except EventError:
        return {}
    return {"shopper": name} if name else {}


def _single(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if name in ("text", "query") else value.strip()
    if isinstance(value, dict | list | tuple | bytes | bool):
        raise EventError("BAD_FIELD", f"{name} must be one value, not a {type(value).__name__}")
    if name in NAMES and isinstance(value, float):  # how tables keep whole numbers beside empty cells
        if not math.isfinite(value) or not value.is_integer():
            raise EventError("BAD_FIELD", f"{name} must be a text or a whole number, not {value}")
        return str(int(value))
    return str(value) if name in NAMES else value


def _number(value: Any, writing: Writing) -> Any:
    """A number where the text is one; else what it was, for the judge to refuse."""
    if not isinstance(value, str):
        return value
    text = writing.number(value)
    try:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else float(text)
    except ValueError:
        return value


def _whole(value: Any) -> Any:
    if isinstance(value, float | Decimal) and math.isfinite(value) and value != int(value):
        raise EventError("BAD_FIELD", f"quantity must be a whole number, not {value}")
    return value


def _moment(value: Any, writing: Writing) -> dt.datetime:
    try:
        return writing.moment(value)
    except ValueError as error:
        raise EventError("BAD_FIELD", f"occurred_at {error}") from None


class Identities:
    """Ids for rows: the same file gives the same ones again.

    A UUID is taken as it is; another id is one within its source. A row without an id gets one made of its source,
    of all that it says, and of how often the rows before it said the same; the counts go back WINDOW rows at least
    and twice as many at most.
    """

    def __init__(self, source: str) -> None:
        self.source = source.encode(errors="surrogatepass")
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def of(self, given: Any, values: Mapping[str, Any]) -> uuid.UUID:
        if given is not None and given != "":
            text = str(given).strip()
            try:
                return uuid.UUID(text)
            except ValueError:
                return self._made(b"id", text.encode(errors="surrogatepass"))
        said = "\x1f".join([f"{name}={value}" for name, value in sorted(values.items()) if value not in (None, "")])
        content = said.encode(errors="surrogatepass")
        key = hashlib.blake2b(content, digest_size=16).digest()
        before = self._young.get(key)
        if before is None:
            before = self._old.get(key, 0)
        self._young[key] = before + 1
        if len(self._young) >= WINDOW:
            self._old, self._young = self._young, {}
        return self._made(b"row", content, str(before).encode())

    def _made(self, *parts: bytes) -> uuid.UUID:
        name = b"\0".join([self.source, *parts])
        return uuid.UUID(bytes=hashlib.sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()[:16], version=5)
