"""Carrying out what a delivery asks for; each step is safe to repeat, and safe in any order."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import transaction
from django.utils.dateparse import parse_datetime

from shop_reco.privacy.errors import ShopperGoneError
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

from . import selectors
from .forgetting import forget_shopper
from .models import SourceItem, WebhookSource
from .recording import record
from .reports import Report
from .work import Change, Level, Listing, Work


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
        record(source=source, events=work.events, report=report)
    _erase(work.erased, report)
    for reason, n in work.ignored.items():
        report.counts[f"ignored: {reason}"] += n
    return report


def _erase(names: list[str], report: Report) -> None:
    """Erase those of the names who are known, and what is kept of any of them."""
    for name in names:
        forget_shopper(external_id=name)
    for shopper in selectors.shoppers_named(names=names).values():
        try:
            erase_shopper(shopper=shopper)
        except ShopperGoneError:  # by another request of this moment
            continue
        report.counts["shoppers erased"] += 1


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
