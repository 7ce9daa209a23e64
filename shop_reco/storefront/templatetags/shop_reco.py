"""What a shop's own templates need to show lists::

{% load shop_reco %}
{% recommendations "home" title="Picked for you" %}
{% recommendations "similar" sku=product.sku first=6 %}
{% recommendations_script %}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from shop_reco.api.documents import OF_SCRIPTS, context_of, hash_of
from shop_reco.api.ids import global_id
from shop_reco.products.selectors import products_by_sku
from shop_reco.storefront.lists import Wanted, list_for
from shop_reco.storefront.prices import told_price

register = template.Library()


@register.inclusion_tag("shop_reco/list.html", takes_context=True)
def recommendations(
    context: Context,
    placement: str = "home",
    *,
    title: str = "",
    first: int = 12,
    products: str | Iterable[str] = (),
    sku: str | Iterable[str] = (),
    category: str = "",
    personal: bool = False,
    lazy: bool = False,
    empty: str = "",
) -> dict[str, Any]:
    """A placement's list with its reasons; no product that an earlier list of the page shows.

    Args:
        title: Above the list, as it is.
        first: Most items.
        products: What it is about, by global ids; ``sku``: by the shop's own names.
        category: A slug; nothing from outside of it is shown.
        personal: Show it only where it is this shopper's own.
        lazy: Have the browser ask for it, for pages that a cache keeps for everybody.
        empty: Said where there is nothing to show; without it, nothing is.
    """
    request: HttpRequest = context["request"]
    names = (products,) if isinstance(products, str) else tuple(products)
    skus = (sku,) if isinstance(sku, str) else tuple(sku)
    if skus:
        names += tuple(global_id("Product", row.public_id) for row in products_by_sku(skus=skus))
    wanted = Wanted(placement=placement, first=first, products=names, category=category)
    found = None if lazy else list_for(request, wanted, personal=personal)
    return {
        "request": request,
        "list": found,
        "lazy": lazy,
        "placement": placement,
        "wanted": json.dumps(wanted.request()),
        "title": title,
        "empty": empty,
        "places": range(min(first, 6)),
        "known": not lazy and context_of(request).shopper is not None,
    }


@register.inclusion_tag("shop_reco/ordered.html", takes_context=True)
def ordered_products(context: Context, found: dict[str, Any], *, label: str) -> dict[str, Any]:
    """Products that ``reordered`` gave, without a heading of their own; ``label`` is read to whoever cannot see."""
    request: HttpRequest = context["request"]
    return {"request": request, "list": found, "label": label, "known": context_of(request).shopper is not None}


@register.inclusion_tag("shop_reco/script.html", takes_context=True)
def recommendations_script(context: Context) -> dict[str, Any]:
    """What makes the lists of a page answer: once a page, at its end."""
    request: HttpRequest = context["request"]
    return {"request": request, "settings": script_settings(request), "known": True}


def script_settings(request: HttpRequest) -> dict[str, Any]:
    """Where the script asks, by which documents, and what it says."""
    return {
        "graphql": _address("shop_reco_api:graphql"),
        "beacon": _address("shop_reco_events:beacon"),
        "owner": context_of(request).identity.mark(),
        "documents": {name: hash_of(name) for name in OF_SCRIPTS},
        "texts": {
            "failed": _("That did not work. Please try again."),
            "liked": _("Thank you. It counts in your next list."),
            "disputed": _("Thank you. We will not say so of it again."),
            "withdrawn": _("Taken back."),
            "renewed": _("Your list is up to date."),
            "without": _("Without %s this would not be in your list."),
            "instead": _("In its place would be: %s."),
        },
    }


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@register.filter
def price(node: dict[str, Any]) -> str:
    """What a product costs, as people of the page's language write it."""
    return told_price(node.get("price"), node.get("currency", "")) if node else ""


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    return told_price(amount, currency)
