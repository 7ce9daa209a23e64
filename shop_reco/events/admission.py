"""Whether an event may be stored: judged alone, before anybody asks what its shopper allows."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shop_reco.among import Among
from shop_reco.conf import RecoSettings
from shop_reco.products.models import Product

from . import drafts
from .drafts import EventDraft
from .errors import EventError
from .models import Event, Sender


@dataclass(frozen=True, slots=True)
class Judged:
    """An event of a batch: whose it is, and the draft of it or why there is none."""

    shopper_id: int | None
    found: EventDraft | EventError


@dataclass(frozen=True, slots=True)
class Judge:
    """What the events of one batch are judged by."""

    people: Mapping[str, int]
    """Primary keys by the shop's own ids; the empty one is whoever sends the batch."""
    products: Mapping[str, int]
    visitor: int | None
    """Primary key of whoever sends the batch, where no account is known of them."""
    sender: Sender
    now: dt.datetime
    arrived: dt.datetime
    """When an event that says nothing of its time happened."""
    reco: RecoSettings

    def judge(self, raw: Mapping[str, Any]) -> Judged:
        person = None
        try:
            if self.sender is Sender.BROWSER:
                _refuse_forgery(raw)
            person = self.people.get(drafts.name_of(raw))
            return Judged(person, self._draft(raw, person))
        except EventError as error:
            return Judged(person, error)

    def _draft(self, raw: Mapping[str, Any], person: int | None) -> EventDraft:
        """Check one event field by field.

        Raises:
            EventError: Naming the first field that is wrong.
        """
        if person is None:
            raise NO_CONSENT
        kind = drafts.type_of(raw)
        event_id = drafts.uuid_of(raw, "id")
        if event_id is None:
            raise EventError("BAD_FIELD", "id must be a UUID made by the client")
        product_id = self._product_id(raw)
        if product_id is None and kind not in drafts.FREE_OF_PRODUCT:
            raise EventError("BAD_FIELD", f"{kind} needs a product or a sku")
        dated = drafts.time_of(raw, now=self.now, arrived=self.arrived, reco=self.reco)
        drafts.check_age(dated.at, kind=kind, visitor=person == self.visitor, now=self.now, reco=self.reco)
        rating = drafts.number_of(raw, "rating", lowest=1, highest=5)
        if rating is None and kind == Event.Type.RATE:
            raise EventError("BAD_FIELD", "rate needs a rating between 1 and 5")
        return EventDraft(
            id=event_id,
            shopper_id=person,
            product_id=product_id,
            type=kind,
            occurred_at=dated.at,
            clock_skewed=dated.skewed,
            dated=dated.said is not None,
            said_at=dated.said,
            quantity=drafts.quantity_of(raw),
            price=drafts.price_of(raw),
            currency=drafts.text_of(raw, "currency", 3).upper(),
            order=drafts.text_of(raw, "order", 64),
            channel=drafts.channel_of(raw),
            rating=rating,
            text=drafts.text_of(raw, "text", drafts.TEXT_CHARACTERS),
            query=drafts.text_of(raw, "query", drafts.QUERY_CHARACTERS),
            slate_id=drafts.uuid_of(raw, "slate_id"),
        )

    def _product_id(self, raw: Mapping[str, Any]) -> int | None:
        public_id, sku = drafts.uuid_of(raw, "product"), raw.get("sku")
        if public_id is None and (sku is None or sku == ""):
            return None
        if public_id is None and not (isinstance(sku, str) and drafts.storable(sku)):
            raise EventError("BAD_FIELD", "sku must be a text of characters that can be stored")
        found = self.products.get(f"sku:{sku}" if public_id is None else f"id:{public_id}")
        if found is None:
            raise EventError(
                "UNKNOWN_PRODUCT", "the product is not in the catalogue; import it, then replay this event"
            )
        return found


NO_CONSENT = EventError("CONSENT_REQUIRED", "the shopper has not consented to any use of events")


def _refuse_forgery(raw: Mapping[str, Any]) -> None:
    """Raises EventError FORBIDDEN_FIELD for what only the shop's server may say."""
    kind = drafts.known_type(raw)
    if kind in drafts.SERVER_TYPES:
        raise EventError("FORBIDDEN_FIELD", f"type {kind} must come from the shop's server")
    for name in ("shopper", "price", "currency", "order"):
        if raw.get(name) is not None:
            raise EventError("FORBIDDEN_FIELD", f"{name} must come from the shop's server")


def names_in(events: Sequence[Mapping[str, Any]]) -> set[str]:
    """The shoppers that a batch names, by the shop's own ids."""
    names: set[str] = set()
    for raw in events:
        with contextlib.suppress(EventError):
            names.add(drafts.name_of(raw))
    return names - {""}


def products_in(events: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Primary keys by sku and by public id of all that a batch names; a query for each kind that it has."""
    skus: set[str] = set()
    public_ids: set[uuid.UUID] = set()
    for raw in events:
        sku = raw.get("sku")
        if isinstance(sku, str) and sku and drafts.storable(sku):
            skus.add(sku)
        with contextlib.suppress(EventError):
            if (public_id := drafts.uuid_of(raw, "product")) is not None:
                public_ids.add(public_id)
    found: dict[str, int] = {}
    if skus:
        by_sku = Product.objects.filter(Among("sku", skus)).values_list("sku", "pk")
        found |= {f"sku:{sku}": pk for sku, pk in by_sku}
    if public_ids:
        by_id = Product.objects.filter(Among("public_id", public_ids)).values_list("public_id", "pk")
        found |= {f"id:{public_id}": pk for public_id, pk in by_id}
    return found
