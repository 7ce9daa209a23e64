"""Export and erase: one transaction over everything that is known of a shopper."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from shop_reco.events.models import DirtyShopper, Event, RejectedEvent
from shop_reco.portraits.models import FoldedDay, Portrait, PortraitEdit
from shop_reco.products.models import Product
from shop_reco.recommendations.models import Feedback, ModelVersion, Slate
from shop_reco.users.models import Consent, Shopper, ShopperLink
from shop_reco.users.selectors import digest_of, linked_ids

from .errors import ShopperGoneError
from .models import ErasedKey, ErasureReceipt

PERSONAL = (Event, RejectedEvent, DirtyShopper, FoldedDay, Portrait, PortraitEdit, Feedback, Slate, Consent)
"""Every table with a column for the shopper, but for the shopper and its links."""

PRODUCT_FIELDS = frozenset({"product_id", "product", "products", "earlier", "evidence"})
"""Columns, and keys in the JSON of slates, that hold primary keys of products."""


def export_shopper(*, shopper: Shopper) -> dict[str, Any]:
    """All that is stored of a shopper and of the visitors found to be them, ready for JSON."""
    ids = linked_ids(shopper=shopper)
    tables = {
        model._meta.model_name: list(model._default_manager.filter(shopper__in=ids).values()) for model in PERSONAL
    }
    names = _public_ids(tables.values())
    people = Shopper.objects.filter(pk__in=ids)
    return {
        "profile": list(people.values("public_id", "external_id", "age_band", "gender", "region", "member_since")),
        "links": list(ShopperLink.objects.filter(account__in=ids).values("linked_at", "undone_at")),
        **{str(name): [_without_keys(row, names) for row in rows] for name, rows in tables.items()},
    }


def _public_ids(tables: Iterable[list[Any]]) -> dict[int, UUID]:
    """Public ids by primary key of the products that rows of an export name."""
    keys: set[int] = set()
    for row in (row for rows in tables for row in rows):
        keys.update(_product_keys(row))
    found: dict[int, UUID] = {}
    for start in range(0, len(keys), 500):
        chunk = Product.objects.filter(pk__in=sorted(keys)[start : start + 500])
        found.update(chunk.values_list("pk", "public_id"))
    return found


def _product_keys(value: Any) -> Iterable[int]:
    """Every product key in a row, however deep its JSON has it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PRODUCT_FIELDS:
                yield from (key for key in (inner if isinstance(inner, list) else [inner]) if type(key) is int)
            if isinstance(inner, Mapping | list):
                yield from _product_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _product_keys(inner)


def _without_keys(row: Mapping[str, Any], names: Mapping[int, UUID]) -> dict[str, Any]:
    """The row without sequential keys; a product that is gone from the catalogue has no name left."""
    hidden = {"digest", "shopper_id", "reviewed_by_id"}
    kept = {name: value for name, value in row.items() if name not in hidden and (name != "id" or type(value) is UUID)}
    named = _named(kept, names)
    return {name.removesuffix("_id") if name in PRODUCT_FIELDS else name: value for name, value in named.items()}


def _named(value: Any, names: Mapping[int, UUID], *, keys: bool = False) -> Any:
    """The same JSON with products by their public ids; ``keys`` says that integers here are product keys."""
    if isinstance(value, Mapping):
        return {name: _named(inner, names, keys=name in PRODUCT_FIELDS) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, names, keys=keys) for inner in value]
    return names.get(value) if keys and type(value) is int else value


@transaction.atomic
def erase_shopper(*, shopper: Shopper) -> ErasureReceipt:
    """Delete all that is known of a shopper, and remember that it happened without remembering whose it was.

    Raises:
        ShopperGoneError: If they were erased already.
    """
    # The row is locked first: whoever writes of the shopper meanwhile waits, and then finds nobody.
    if Shopper.objects.select_for_update().filter(pk=shopper.pk).first() is None:
        raise ShopperGoneError
    ids, now = linked_ids(shopper=shopper), timezone.now()
    list(Shopper.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    counts = {
        str(model._meta.model_name): model._default_manager.filter(shopper__in=ids).delete()[0] for model in PERSONAL
    }
    if shopper.external_id:
        ErasedKey.objects.get_or_create(digest=digest_of(shopper.external_id), defaults={"erased_at": now})
    counts["shopper"] = len(ids)
    Shopper.objects.filter(pk__in=ids).delete()
    versions = sorted(
        version.hex
        for version in ModelVersion.objects.exclude(state=ModelVersion.State.REJECTED).values_list(
            "public_id", flat=True
        )
    )
    previous = ErasureReceipt.objects.select_for_update().order_by("-pk").first()
    before = previous.sha256 if previous else ""
    content = json.dumps([now.isoformat(), counts, versions, before], sort_keys=True)
    return ErasureReceipt.objects.create(
        erased_at=now,
        counts=counts,
        versions=versions,
        previous_sha256=before,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
    )
