"""Questions about sources, their deliveries and their things."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Sum

from shop_reco.events.drafts import NAME_CHARACTERS, storable
from shop_reco.events.models import Event
from shop_reco.products.models import Product
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import consenting_to_any, erased_since

from .models import SourceItem, WebhookSource

Place = tuple[int, str, UUID | None]
"""A shopper's key, the number of an order, and the public id of a product in it."""


def source_by_key(*, key: str) -> WebhookSource | None:
    return WebhookSource.objects.filter(key=key).first()


def products_of(*, source: WebhookSource, names: Collection[str]) -> dict[str, UUID]:
    """Public ids of the products that a source calls by ``names``; one query."""
    found = SourceItem.objects.filter(source=source, name__in=names, product__isnull=False)
    return dict(found.values_list("name", "product__public_id"))


def skus_of(*, source: WebhookSource, owner: str) -> list[str]:
    """Of all that belongs to a thing of the source, itself included; one query."""
    found = SourceItem.objects.filter(source=source, owner=owner, product__isnull=False)
    return sorted(set(found.values_list("product__sku", flat=True)))


def product_of_sku(*, sku: object) -> Product | None:
    """Whatever is given for a sku; one query."""
    return Product.objects.filter(sku=sku).first() if isinstance(sku, str) and storable(sku) else None


def public_ids(*, skus: Collection[str]) -> dict[str, UUID]:
    """Public ids of products by sku; one query."""
    wanted = [sku for sku in skus if storable(sku)]
    return dict(Product.objects.filter(sku__in=wanted).values_list("sku", "public_id")) if wanted else {}


def reported(*, ids: Collection[UUID]) -> dict[UUID, int]:
    """Those of the event ids that are stored, with their shoppers' primary keys; one query a thousand."""
    wanted = list(ids)
    found: dict[UUID, int] = {}
    for start in range(0, len(wanted), 1000):
        found.update(Event.objects.filter(pk__in=wanted[start : start + 1000]).values_list("pk", "shopper_id"))
    return found


def pieces_of(*, shopper_ids: Collection[int], orders: Collection[str]) -> dict[Place, dict[str, int]]:
    """Pieces bought and taken back of each product of these orders, by type of event; one query."""
    told = Event.objects.filter(
        shopper__in=shopper_ids, order__in=orders, type__in=[Event.Type.PURCHASE, Event.Type.REFUND]
    )
    sums = told.order_by().values_list("shopper_id", "order", "product__public_id", "type").annotate(Sum("quantity"))
    found: dict[Place, dict[str, int]] = {}
    for shopper_id, order, product, kind, pieces in sums:
        found.setdefault((shopper_id, order, product), {})[kind] = pieces
    return found


def shoppers_named(*, names: Collection[str]) -> dict[str, Shopper]:
    """Shoppers by the shop's own ids; one query."""
    return {str(each.external_id): each for each in Shopper.objects.filter(external_id__in=names)}


def shoppers_of(*, ids: Collection[int]) -> dict[int, Shopper]:
    return Shopper.objects.in_bulk(list(ids))


def followable(*, source: WebhookSource, names: Collection[str]) -> set[str]:
    """Those of the shop's own ids whose events would be recorded: they consent, or the source may say so; five queries.

    Nobody is made, and nothing is claimed.
    """
    people = shoppers_named(names=names)
    erased = erased_since(external_ids=names)
    consenting = consenting_to_any(among=[each.pk for each in people.values()])
    found = {name for name, each in people.items() if each.pk in consenting}
    if not source.purposes:
        return found
    strangers = {name for name in names if name not in people and len(name) <= NAME_CHARACTERS}
    open_ = undecided(shopper_ids=[each.pk for each in people.values()], purposes=source.purposes)
    claimable = {name for name, each in people.items() if each.pk in open_}
    return found | (strangers | claimable) - erased.keys()


def undecided(*, shopper_ids: Collection[int], purposes: Collection[str]) -> dict[int, list[str]]:
    """Those of the purposes that a shopper has neither allowed nor refused, for whom there are any; one query."""
    decided = Consent.objects.filter(shopper__in=shopper_ids, superseded_at__isnull=True)
    closed = set(decided.values_list("shopper_id", "purpose"))
    open_ = {pk: [each for each in sorted(set(purposes)) if (pk, each) not in closed] for pk in shopper_ids}
    return {pk: each for pk, each in open_.items() if each}
