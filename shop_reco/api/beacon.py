"""The door for browsers' events: what ``navigator.sendBeacon`` can send, and a page that is closing has time for.

The body is a JSON array of events with the names of EventInput, as text/plain. The session or the visitor's signed
cookie decides whose they are. Answers ``{"accepted", "duplicates", "rejected": [{"index", "code", "message"}]}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from shop_reco.conf import reco_settings
from shop_reco.database_errors import cannot_serve
from shop_reco.events.errors import BatchTooLargeError, EventError
from shop_reco.events.services import Outcome, Rejection, Sender, record_events
from shop_reco.users.models import Shopper

from .errors import ApiError, unless_gone
from .identity import Identity, browser_identity, remember
from .ids import public_id_of
from .origins import origin_allowed
from .replies import refusal, refused_by, too_large, try_later
from .spending import OBJECTS_A_POINT, Spender

MEDIA_TYPES = frozenset({"text/plain", "application/json"})
TEXTS = {
    "id": "id", "type": "type", "shopper": "shopper", "product": "product", "sku": "sku", "order": "order",
    "occurredAt": "occurred_at", "currency": "currency", "text": "text", "query": "query", "channel": "channel",
    "slateId": "slate_id",
}  # fmt: skip
"""Fields of EventInput that are texts, with the names that the service has for them."""
NUMBERS = {"quantity": "quantity", "price": "price", "rating": "rating"}
LONGEST_NUMBER = 18  # digits; more would overflow a double, and some are more than a parser should be asked for


@csrf_exempt
def beacon(request: HttpRequest) -> HttpResponse:
    """Record the events of one page."""
    if request.method != "POST":
        return refusal(405, "METHOD", "POST a JSON array of events")
    if request.content_type not in MEDIA_TYPES:
        return refusal(415, "MEDIA_TYPE", "Content-Type must be text/plain or application/json")
    if "Authorization" in request.headers or "X-Shopper" in request.headers:
        return refusal(403, "FORBIDDEN", "this address is for browsers; servers send trackEvents")
    if not origin_allowed(request, required=True):
        return refusal(403, "BAD_ORIGIN", "requests from this origin are not accepted")
    if (large := too_large(request, reco_settings().BODY_BYTES)) is not None:
        return large
    if (poor := Spender.of(request).take(1)) is not None:
        return refused_by(poor)
    try:
        sent = json.loads(request.body, parse_int=_integer, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return refusal(400, "BAD_JSON", "send a JSON array of events")
    if not isinstance(sent, list):
        return refusal(400, "BAD_JSON", "send a JSON array of events")
    try:
        identity = browser_identity(request)
        if (poor := Spender.of(request, None, identity.shopper).take(len(sent) // OBJECTS_A_POINT)) is not None:
            return refused_by(poor)
        return remember(_answer(sent, identity, owner=request.GET.get("owner", "")), identity)
    except (DatabaseError, InterfaceError) as error:
        if not cannot_serve(error):
            raise
        return try_later()


def _answer(sent: Sequence[Any], identity: Identity, *, owner: str) -> HttpResponse:
    if owner and owner != identity.mark():
        return refusal(409, "OTHER_SHOPPER", "these are events of whoever was here before")
    try:
        outcome = record(sent, identity.shopper)
    except BatchTooLargeError as error:
        return refusal(413, "BATCH_TOO_LARGE", str(error))
    except ApiError as error:
        return refusal(410, "GONE", error.message)
    response = JsonResponse(
        {
            "accepted": outcome.accepted,
            "duplicates": outcome.duplicates,
            "rejected": [{"index": r.index, "code": r.code, "message": r.message} for r in outcome.rejected],
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def record(sent: Sequence[Any], shopper: Shopper | None) -> Outcome:
    """Pass on what has the form of an event; the rest is rejected by its place in what was sent.

    Raises:
        BatchTooLargeError: If there are more than one call may carry.
        ApiError: GONE, if the shopper was erased meanwhile.
    """
    well_formed: dict[int, dict[str, Any]] = {}
    rejected: list[Rejection] = []
    for index, event in enumerate(sent):
        try:
            well_formed[index] = _raw(event)
        except EventError as error:
            rejected.append(Rejection(index, error.code, error.message))
    if len(sent) > reco_settings().BATCH_EVENTS:
        raise BatchTooLargeError(f"{len(sent)} events; send {reco_settings().BATCH_EVENTS} at most in one call")
    with unless_gone(shopper):
        outcome = record_events(events=list(well_formed.values()), shopper=shopper, sender=Sender.BROWSER)
    places = list(well_formed)
    rejected += [Rejection(places[each.index], each.code, each.message) for each in outcome.rejected]
    outcome.rejected = sorted(rejected, key=lambda each: each.index)
    return outcome


def _raw(event: object) -> dict[str, Any]:
    """The event with the service's names.

    Raises:
        EventError: BAD_FIELD, for what is no event, has unknown fields, or values of another kind.
    """
    if not isinstance(event, Mapping):
        raise EventError("BAD_FIELD", "an event must be an object")
    raw: dict[str, Any] = {}
    for name, value in event.items():
        kind: type | tuple[type, ...] = str if name in TEXTS else (int, float)
        if name not in TEXTS and name not in NUMBERS:
            raise EventError("BAD_FIELD", f"{name[:32]!r} is no field of an event")
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise EventError("BAD_FIELD", f"{name} must be a {'text' if name in TEXTS else 'number'}")
        raw[TEXTS.get(name) or NUMBERS[name]] = value
    if raw.get("product") is not None:
        try:
            raw["product"] = public_id_of("Product", raw["product"])
        except ApiError:
            raise EventError("BAD_FIELD", "product must be the id of a product") from None
    return raw


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
