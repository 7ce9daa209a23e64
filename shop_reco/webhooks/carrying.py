"""Carrying out what a delivery asks for; each step is safe to repeat, and safe in any order."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from shop_reco.conf import reco_settings
from shop_reco.events.services import Sender, record_events
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.errors import ProductError
from shop_reco.products.services import (
    RowOutcome,
    State,
    delete_products,
    queue,
    set_price,
    set_stock,
    upsert_products,
)
from shop_reco.users.models import Shopper
from shop_reco.users.services import decide_consent, ensure_shopper

from . import selectors
from .models import SourceItem, WebhookSource
from .work import Change, Level, Listing, Reported, Work

UNCONSENTED = "CONSENT_REQUIRED"


@dataclass(slots=True)
class Report:
    """What came of a delivery, in counts; ``rejected`` has the catalogue's rows that need mending."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[RowOutcome] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Codes and messages of events that were refused; they wait among the rejected events."""

    def rows(self, outcomes: Iterable[RowOutcome]) -> None:
        for outcome in outcomes:
            self.counts[f"rows {outcome.state.value}"] += 1
            if outcome.state is State.REJECTED:
                self.rejected.append(outcome)


@transaction.atomic
def carry_out(*, source: WebhookSource, work: Work) -> Report:
    """Do all that the work asks for, in one transaction."""
    report = Report()
    if work.listings or work.gone or work.levels:
        queue()  # before any of the things is locked, so that no two deliveries wait for each other
    for listing in work.listings:
        _list(source, listing, report)
    for name, at in work.gone:
        _gone(source, name, at, report)
    for level in work.levels:
        _level(source, level, report)
    if work.drafts:
        report.rows(upsert_products(rows=work.drafts))
    for sku, when in work.deleted:
        report.rows(delete_products(skus=[sku], at=when))
    for index, each in enumerate(work.changes):
        report.rows([_change(index, each)])
    if work.events:
        _record(source, work.events, report)
    for shopper in selectors.shoppers_named(names=work.erased).values():
        erase_shopper(shopper=shopper)
        report.counts["shoppers erased"] += 1
    for reason, n in work.ignored.items():
        report.counts[f"ignored: {reason}"] += n
    return report


def _change(index: int, change: Change) -> RowOutcome:
    product = selectors.product_of_sku(sku=change.sku)
    try:
        if product is None:
            raise ProductError("UNKNOWN_PRODUCT", "sku", "names no product of the catalogue")
        if change.column == "stock":
            taken = set_stock(product=product, stock=change.value, at=change.at)
        else:
            taken = set_price(product=product, price=change.value, currency=change.currency, at=change.at)
    except ProductError as error:
        return RowOutcome.rejected(index, change.sku, error)
    return RowOutcome(index=index, sku=product.sku, state=State.STORED if taken else State.STALE)


def _item(source: WebhookSource, name: str) -> SourceItem:
    """The source's thing of that name, locked until the transaction ends."""
    SourceItem.objects.get_or_create(source=source, name=name)
    return SourceItem.objects.select_for_update().get(source=source, name=name)


def _list(source: WebhookSource, listing: Listing, report: Report) -> None:
    """Store a product with its variants, unless a newer account of the whole is known."""
    whole = _item(source, listing.name)
    if whole.said_at is not None and listing.at < whole.said_at:
        report.counts["rows stale"] += len(listing.drafts)
        return
    drafts = listing.drafts
    if listing.parent:
        above = selectors.products_of(source=source, names=[listing.parent])
        parent = SourceItem.objects.select_related("product").filter(source=source, name=listing.parent).first()
        sku = parent.product.sku if above and parent and parent.product else f"unknown {listing.parent}"
        drafts = [(name, replace(draft, parent_sku=sku)) for name, draft in drafts]
    before = set(selectors.skus_of(source=source, owner=listing.name))
    outcomes = upsert_products(rows=[draft for _, draft in drafts])
    report.rows(outcomes)
    stored = {outcome.sku for outcome in outcomes if outcome.state is not State.REJECTED}
    names = {name: draft.sku for name, draft in drafts}
    names |= {alias: names[name] for alias, name in listing.aliases.items()}
    _link(source, listing, {name: sku for name, sku in names.items() if sku in stored})
    if not listing.partial:
        missing = sorted(before - {draft.sku for _, draft in drafts})
        report.rows(delete_products(skus=missing, at=listing.at) if missing else [])
    if len(stored) == len(drafts):
        SourceItem.objects.filter(pk=whole.pk).update(said_at=listing.at)
    if whole.deleted_at is not None and stored:  # deleted before it was ever told of
        delete_products(skus=sorted(stored), at=whole.deleted_at)
    for name in names:
        if name.startswith("inventory:"):
            _apply_levels(_item(source, name), report)


def _link(source: WebhookSource, listing: Listing, names: dict[str, str]) -> None:
    """Remember which products the source's names stand for."""
    products = {sku: selectors.product_of_sku(sku=sku) for sku in set(names.values())}
    SourceItem.objects.bulk_create(
        [
            SourceItem(source=source, name=name, product=products[sku], owner=listing.name)
            for name, sku in sorted(names.items())
        ],
        update_conflicts=True,
        unique_fields=["source", "name"],
        update_fields=["product", "owner"],
    )


def _gone(source: WebhookSource, name: str, at: dt.datetime, report: Report) -> None:
    """Delete a product with its variants; one that is not known yet will be deleted when it is told of."""
    whole = _item(source, name)
    if whole.deleted_at is None or whole.deleted_at < at:
        SourceItem.objects.filter(pk=whole.pk).update(deleted_at=at)
    skus = selectors.skus_of(source=source, owner=name)
    if skus:
        report.rows(delete_products(skus=skus, at=at))
    else:
        report.counts["rows stored"] += 1


def _level(source: WebhookSource, level: Level, report: Report) -> None:
    """Remember what a stock room reports, and keep the sum over the rooms that have."""
    item = _item(source, level.item)
    _pieces, before = item.levels.get(level.location, (0, None))
    if before is not None and level.at < _parsed(before):
        report.counts["rows stale"] += 1
        return
    item.levels[level.location] = [level.pieces, level.at.isoformat()]
    item.save(update_fields=["levels"])
    if item.product_id is None:
        report.counts["waiting for its product"] += 1
    _apply_levels(item, report)


def _apply_levels(item: SourceItem, report: Report) -> None:
    if item.product is None or not item.levels:
        return
    total = sum(pieces for pieces, _ in item.levels.values())
    newest = max(_parsed(at) for _, at in item.levels.values())
    taken = set_stock(product=item.product, stock=total, at=newest)
    report.counts["rows stored" if taken else "rows stale"] += 1


def _parsed(text: str) -> dt.datetime:
    found = parse_datetime(text)
    assert found is not None, "levels are written by isoformat"  # noqa: S101
    return found


def _record(source: WebhookSource, events: list[Reported], report: Report) -> None:
    """Record what was not recorded before, for the shoppers who may be followed."""
    mentioned = {each.raw["id"] for each in events if _derived(each)}
    known = selectors.reported(ids=mentioned | {each.answers for each in events if each.answers is not None})
    fresh = [each for each in events if not (_derived(each) and each.raw["id"] in known)]
    report.counts["events duplicate"] += len(events) - len(fresh)
    people = _people(source, {str(each.raw["shopper"]) for each in fresh if each.raw.get("shopper")}, report)
    owners = {each.raw["id"]: people.get(each.raw.get("shopper", "")) for each in fresh if _derived(each)}
    buyers = selectors.shoppers_of(ids=set(known.values()))
    products = selectors.products_of(source=source, names={name for each in fresh for name in each.items})
    batches: dict[int, list[dict[str, Any]]] = {}
    shoppers: dict[int, Shopper] = {}
    for each in fresh:
        shopper = people.get(str(each.raw.get("shopper") or ""))
        if shopper is None and each.answers is not None and not each.raw.get("shopper"):
            shopper = owners.get(each.answers) or buyers.get(known.get(each.answers, 0))
            if shopper is None:
                report.counts["ignored: refund of a purchase that is not known"] += 1
        if shopper is not None:
            shoppers[shopper.pk] = shopper
            batches.setdefault(shopper.pk, []).append(_raw(each, products))
    for pk, raws in sorted(batches.items()):
        for start in range(0, len(raws), reco_settings().BATCH_EVENTS):
            _send(raws[start : start + reco_settings().BATCH_EVENTS], shoppers[pk], report)


def _derived(each: Reported) -> bool:
    """Whether its id was made here, from the order, so that the same id can only be the same event."""
    return bool(each.items)


def _raw(each: Reported, products: dict[str, Any]) -> dict[str, Any]:
    raw = {name: value for name, value in each.raw.items() if name != "shopper" and value not in (None, "")}
    known = next((products[name] for name in each.items if name in products), None)
    if known is not None:
        raw.pop("sku", None)
        raw["product"] = known
    elif each.items and "sku" not in raw:
        raw["sku"] = each.items[0]  # so that the rejected event says which product to import
    return raw


def _people(source: WebhookSource, names: set[str], report: Report) -> dict[str, Shopper]:
    """Shoppers by the ids that the source gave; those who may not be followed are left out and counted."""
    gone = selectors.erased(names=names)
    known = selectors.shoppers_named(names=names)
    people: dict[str, Shopper] = {}
    for name in sorted(names):
        if name in gone and name not in known:
            report.counts["ignored: erased shopper"] += 1
        elif name in known or (source.purposes and 1 <= len(name) <= 128):
            people[name] = known.get(name) or ensure_shopper(external_id=name)
            _claim(source, people[name])
        else:
            report.counts[f"ignored: {UNCONSENTED}"] += 1
    return people


def _claim(source: WebhookSource, shopper: Shopper) -> None:
    """Note the consent that the shop collected, where the shopper has not decided here themselves."""
    if not selectors.undecided(shopper=shopper, purposes=source.purposes):
        return
    Shopper.objects.select_for_update().filter(pk=shopper.pk).first()  # two deliveries at once claim once
    open_ = selectors.undecided(shopper=shopper, purposes=source.purposes)
    decide_consent(shopper=shopper, decisions=dict.fromkeys(open_, True), source=f"webhook {source.key}")


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
