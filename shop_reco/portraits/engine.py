"""The door between events and the engine's portrait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reco_engine.portrait.portrait import Interest, Portrait, PortraitEvent, draw
from shop_reco.events.models import Event

__all__ = ["Interest", "Portrait", "portrait_drawn", "portrait_read"]


def portrait_drawn(events: Iterable[Event]) -> dict[str, Any]:
    """The counts of these events, ready to store."""
    return draw(_portrait_event(event) for event in events).to_json()


def portrait_read(counts: Mapping[str, Any]) -> Portrait:
    return Portrait.from_json(counts)


def _portrait_event(event: Event) -> PortraitEvent:
    product = event.product
    category = product.category if product else None
    told = category is not None and not category.sensitive
    return PortraitEvent(
        type=event.type,
        occurred_at=int(event.occurred_at.timestamp()),
        category=tuple(category.path.split(" > ")) if category is not None and told else (),
        brand=product.brand.name if product and product.brand and (category is None or told) else "",
        quantity=event.quantity,
        amount=int((event.price or 0) * 100) * event.quantity,
        channel=event.channel,
        order=event.order,
    )
