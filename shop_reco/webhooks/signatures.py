"""Who sent a call, and when: headers to an envelope, and its signature checked in constant time."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from shop_reco.conf import RecoSettings

from .models import WebhookSource

Kind = WebhookSource.Kind


@dataclass(frozen=True, slots=True)
class RefusalError(Exception):
    """The call is not believed, or cannot be read: an HTTP status, a code and a sentence without its content."""

    status: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the headers say. ``topic`` is empty where the body has it."""

    delivery_id: str
    topic: str
    sent_at: dt.datetime | None
    signed: bytes
    signature: bytes


def opened(kind: str, headers: Mapping[str, str], body: bytes) -> Envelope:
    """Read the headers; nothing is believed yet.

    Raises:
        RefusalError: If one that is needed is missing or malformed.
    """
    match kind:
        case Kind.SHOPIFY:
            return Envelope(
                delivery_id=_needed(headers, "X-Shopify-Webhook-Id"),
                topic=_needed(headers, "X-Shopify-Topic"),
                sent_at=_iso(_needed(headers, "X-Shopify-Triggered-At")),
                signed=body,
                signature=_base64(_needed(headers, "X-Shopify-Hmac-Sha256")),
            )
        case Kind.WOOCOMMERCE:
            # within a second all deliveries of one webhook have the same id
            digest = hashlib.sha256(body).hexdigest()[:32]
            return Envelope(
                delivery_id=f"{_needed(headers, 'X-WC-Webhook-Delivery-ID')}-{digest}",
                topic=_needed(headers, "X-WC-Webhook-Topic"),
                sent_at=None,
                signed=body,
                signature=_base64(_needed(headers, "X-WC-Webhook-Signature")),
            )
        case _:
            delivery_id, timestamp = _needed(headers, "X-Reco-Delivery"), _needed(headers, "X-Reco-Timestamp")
            return Envelope(
                delivery_id=delivery_id,
                topic="",
                sent_at=_unix(timestamp),
                signed=f"{timestamp}.{delivery_id}.".encode() + body,
                signature=_hex(_needed(headers, "X-Reco-Signature")),
            )


def believed(envelope: Envelope, secrets: Sequence[str]) -> bool:
    """Whether one of ``secrets`` signed it; each is tried, in constant time."""
    found = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), envelope.signed, hashlib.sha256).digest()
        found |= hmac.compare_digest(expected, envelope.signature)
    return found


def in_time(kind: str, envelope: Envelope, reco: RecoSettings) -> bool:
    """Whether it was sent lately; Shopify's retries keep the time of the first try."""
    if envelope.sent_at is None:
        return True
    age = (timezone.now() - envelope.sent_at).total_seconds()
    return -reco.WEBHOOK_WINDOW <= age <= (reco.WEBHOOK_RETRIES if kind == Kind.SHOPIFY else reco.WEBHOOK_WINDOW)


def _needed(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise RefusalError(401, "MISSING_HEADER", f"the header {name} is missing")
    if len(value) > 120 or not value.isascii() or not value.isprintable():
        raise RefusalError(401, "BAD_HEADER", f"the header {name} may have 120 printable ASCII characters at most")
    return value


def _base64(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise RefusalError(401, "BAD_SIGNATURE", "the signature is not in base64") from None


def _hex(value: str) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("sha256="))
    except ValueError:
        raise RefusalError(401, "BAD_SIGNATURE", "the signature is not in hexadecimal") from None


def _iso(value: str) -> dt.datetime:
    try:
        found = parse_datetime(value)
    except ValueError:
        found = None
    if found is None or timezone.is_naive(found):
        raise RefusalError(401, "BAD_HEADER", "the time of the delivery is not in ISO 8601")
    return found


def _unix(value: str) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(value), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise RefusalError(401, "BAD_HEADER", "X-Reco-Timestamp must be unix seconds") from None
