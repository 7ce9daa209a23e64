"""Recording the events of a delivery, once, for the shoppers who may be followed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.drafts import NAME_CHARACTERS, time_of
from shop_reco.events.errors import EventError
from shop_reco.events.models import Event
from shop_reco.events.services import Sender, record_events
from shop_reco.events.storing import hold
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import erased_since
from shop_reco.users.services import decide_consent, ensure_shoppers

from . import selectors
from .models import WebhookSource
from .reports import Report
from .work import Reported

UNCONSENTED = "CONSENT_REQUIRED"


def record(*, source: WebhookSource, events: Sequence[Reported], report: Report) -> None:
    """Record what was not recorded before, of those who may be followed; the rest is counted."""
    known = _known(events)
    fresh = _fresh(events, known)
    people, erased = _people(source, {_name(each) for each in fresh} - {""}, report)
    buyers = selectors.shoppers_of(ids=set(known.values()))
    back = [each for each in fresh if _takes_back(each)]
    _lock(source, people, erased, buyers, alone=bool(back))
    if back:  # a delivery about the same order may have been done while this one waited
        known = _known(events)
        fresh = _fresh(events, known)
    report.counts["events duplicate"] += len(events) - len(fresh)
    fresh = _since_erasure(fresh, people, erased, report)
    owners = {each.raw["id"]: people.get(_name(each)) for each in fresh if _derived(each)}
    products = selectors.products_of(source=source, names={name for each in fresh for name in each.items})
    told: list[tuple[Shopper, Reported, dict[str, Any]]] = []
    for each in fresh:
        shopper = people.get(_name(each))
        if shopper is None and each.answers is not None and not _name(each):
            shopper = owners.get(each.answers) or buyers.get(known.get(each.answers, 0))
            if shopper is None:
                report.counts["ignored: refund of a purchase that is not known"] += 1
        if shopper is not None:
            told.append((shopper, each, _raw(each, products)))
    batches: dict[int, list[dict[str, Any]]] = {}
    for shopper, raw in _no_more_than_bought(told, report):
        batches.setdefault(shopper.pk, []).append(raw)
    shoppers = {shopper.pk: shopper for shopper, _, _ in told}
    for pk, raws in sorted(batches.items()):
        for start in range(0, len(raws), reco_settings().BATCH_EVENTS):
            _send(raws[start : start + reco_settings().BATCH_EVENTS], shoppers[pk], report)


def _fresh(events: Sequence[Reported], known: Container[UUID]) -> list[Reported]:
    return [each for each in events if not (_derived(each) and each.raw["id"] in known)]


def _takes_back(each: Reported) -> bool:
    """Whether it takes back what an order's line sold, as told by a payload about the order."""
    return _derived(each) and each.raw.get("type") == Event.Type.REFUND


def _no_more_than_bought(
    told: Sequence[tuple[Shopper, Reported, dict[str, Any]]], report: Report
) -> Iterator[tuple[Shopper, dict[str, Any]]]:
    """What is told, with refunds clipped to what is left of their product in their order.

    A cancellation takes back all that is left, and says nothing of a refund that was made at the same time: each
    of the two is told by a delivery of its own, and either may come first.
    """
    if not any(_takes_back(each) for _, each, _ in told):
        yield from ((shopper, raw) for shopper, _, raw in told)
        return
    pieces = selectors.pieces_of(
        shopper_ids={shopper.pk for shopper, _, _ in told},
        orders={str(raw["order"]) for _, each, raw in told if _takes_back(each)},
    )
    left = {
        place: sums[Event.Type.PURCHASE] - sums.get(Event.Type.REFUND, 0)
        for place, sums in pieces.items()
        if Event.Type.PURCHASE in sums
    }
    named = selectors.public_ids(skus={raw["sku"] for _, _, raw in told if isinstance(raw.get("sku"), str)})
    for shopper, each, raw in told:
        sku = raw.get("sku")
        product = raw.get("product") or (named.get(sku) if isinstance(sku, str) else None)
        place = (shopper.pk, str(raw.get("order") or ""), product)
        if _takes_back(each):
            # of a product that was never bought in this order the catalogue has changed its mind since
            taken = min(raw["quantity"], max(left[place], 0)) if place in left else raw["quantity"]
            if taken < raw["quantity"]:
                report.counts["ignored: pieces that were taken back before"] += raw["quantity"] - taken
            if not taken:
                continue
            raw = raw | {"quantity": taken}
            left[place] = left.get(place, taken) - taken
        elif _derived(each):
            left[place] = left.get(place, 0) + raw["quantity"]
        yield shopper, raw


def _known(events: Sequence[Reported]) -> dict[UUID, int]:
    """Those events that are stored, told or answered here, with their shoppers."""
    told = {each.raw["id"] for each in events if _derived(each)}
    return selectors.reported(ids=told | {each.answers for each in events if each.answers is not None})


def _derived(each: Reported) -> bool:
    """Whether its id was made here, from the order, so that the same id can only be the same event."""
    return bool(each.items)


def _name(each: Reported) -> str:
    return str(each.raw.get("shopper") or "")


def _raw(each: Reported, products: Mapping[str, Any]) -> dict[str, Any]:
    raw = {name: value for name, value in each.raw.items() if name != "shopper" and value not in (None, "")}
    known = next((products[name] for name in each.items if name in products), None)
    if known is not None:
        raw.pop("sku", None)
        raw["product"] = known
    elif each.items and "sku" not in raw:
        raw["sku"] = each.items[0]  # so that the rejected event says which product to import
    return raw


def _people(
    source: WebhookSource, names: set[str], report: Report
) -> tuple[dict[str, Shopper], dict[str, dt.datetime]]:
    """Shoppers by the ids that the source gave, and when those who were erased were.

    Who may not be followed is left out and counted. Who was erased is never made again, and where they came back
    by themselves only their own decisions count: whatever the shop collected was given before.
    """
    people = selectors.shoppers_named(names=names)
    erased = erased_since(external_ids=names)  # read last: whoever is erased meanwhile is known or erased, not new
    strangers = names - people.keys() - erased.keys()
    new = {name for name in strangers if source.purposes and len(name) <= NAME_CHARACTERS}
    if new:
        ensure_shoppers(external_ids=new)
        people |= selectors.shoppers_named(names=new)
    if len(new) < len(strangers):
        report.counts[f"ignored: {UNCONSENTED}"] += len(strangers) - len(new)
    return people, erased


def _since_erasure(
    events: Sequence[Reported], people: Mapping[str, Shopper], erased: Mapping[str, dt.datetime], report: Report
) -> list[Reported]:
    """Without what is older than the erasure of its shopper, and what answers it."""
    now = timezone.now()
    old = [
        each
        for each in events
        if (since := erased.get(_name(each))) is not None and (_name(each) not in people or _time(each, now) <= since)
    ]
    gone = {id(each) for each in old}
    purchases = {each.raw["id"] for each in old if _derived(each)}
    kept = [each for each in events if id(each) not in gone and each.answers not in purchases]
    if len(kept) < len(events):
        report.counts["ignored: erased shopper"] += len(events) - len(kept)
    return kept


def _time(each: Reported, now: dt.datetime) -> dt.datetime:
    """When it happened; what says so in no way that can be read may be as old as any."""
    try:
        return time_of(each.raw, now=now, arrived=now, reco=reco_settings()).at
    except EventError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _lock(
    source: WebhookSource,
    people: Mapping[str, Shopper],
    erased: Container[str],
    buyers: Collection[int],
    *,
    alone: bool,
) -> None:
    """Lock everybody whom the delivery is about, at once and in the order of their keys, and claim what is open.

    ``alone`` keeps other deliveries about them waiting. The consent that the shop collected counts where the
    shopper has not decided here themselves.
    """
    ids = {each.pk for each in people.values()}.union(buyers)
    claimable = [each.pk for name, each in people.items() if name not in erased]
    if not alone and not selectors.undecided(shopper_ids=claimable, purposes=source.purposes):
        hold(ids)
        return
    locked = set(Shopper.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    # asked again: of two deliveries at once, one claims
    open_ = selectors.undecided(shopper_ids=locked.intersection(claimable), purposes=source.purposes)
    shoppers = {each.pk: each for each in people.values()}
    for pk, purposes in sorted(open_.items()):
        claimed = dict.fromkeys(purposes, True)
        decide_consent(shopper=shoppers[pk], decisions=claimed, source=f"webhook {source.key}")


def _send(raws: list[dict[str, Any]], shopper: Shopper, report: Report) -> None:
    outcome = record_events(events=raws, shopper=shopper, sender=Sender.SERVER)
    report.counts["events accepted"] += outcome.accepted
    report.counts["events duplicate"] += outcome.duplicates
    for rejection in outcome.rejected:
        if rejection.code == UNCONSENTED:
            report.counts[f"ignored: {UNCONSENTED}"] += 1
        else:
            report.counts["events rejected"] += 1
            report.refused.append((rejection.code, rejection.message))
