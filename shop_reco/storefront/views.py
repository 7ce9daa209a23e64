"""The pages of the shop; what they show comes from GraphQL documents."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from shop_reco.api.documents import run
from shop_reco.api.identity import SHOP_AS, identity_of
from shop_reco.api.types import global_id
from shop_reco.conf import reco_settings
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.models import Portrait
from shop_reco.products.selectors import product_by_public_id, products_by_public_id
from shop_reco.users.models import Consent
from shop_reco.users.selectors import some_external_ids

from .pictures import picture_of

CART = "reco_cart"


def page(request: HttpRequest, template: str, content: dict[str, Any]) -> HttpResponse:
    """A page with what every page shows around it."""
    reco = reco_settings()
    around = {
        "cart_size": sum(request.session.get(CART, {}).values()),
        "switcher": some_external_ids(limit=30) if reco.DEMO_SWITCHER else [],
        "shopping_as": request.session.get(SHOP_AS, ""),
        "languages": settings.LANGUAGES,
    }
    response = render(request, f"shop_reco/{template}.html", around | content)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    return page(request, "home", run(request, "home", {"first": 12}))


@require_GET
@ensure_csrf_cookie
def product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    row = product_by_public_id(public_id=public_id)
    if row is None or not row.visible:
        raise Http404
    return page(
        request,
        "product",
        run(request, "product", {"id": global_id("Product", public_id)}) | {"public_id": public_id},
    )


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()[:256]
    found = run(request, "products", {"search": text, "first": 24, "after": request.GET.get("after") or None})
    return page(request, "search", found | {"q": text, "heading": _("Search")})


@require_GET
def category(request: HttpRequest, slug: str) -> HttpResponse:
    wish = {"filter": {"category": slug}, "first": 24, "after": request.GET.get("after") or None}
    return page(request, "search", run(request, "products", wish) | {"heading": _("Category")})


def cart(request: HttpRequest) -> HttpResponse:
    content: dict[str, int] = request.session.setdefault(CART, {})
    if request.method == "POST":
        action, name = request.POST.get("action", ""), request.POST.get("product", "")
        if action == "checkout":
            return _checkout(request, content)
        _change(content, action, name)
        request.session.modified = True
        return redirect("shop_reco_storefront:cart")
    rows = products_by_public_id(public_ids=[uuid.UUID(each) for each in content])
    return page(request, "cart", {"rows": [(row, content[str(row.public_id)]) for row in rows]})


def _change(content: dict[str, int], action: str, name: str) -> None:
    try:
        public_id = str(uuid.UUID(name))
    except ValueError:
        return
    if action == "add" and product_by_public_id(public_id=uuid.UUID(public_id)):
        content[public_id] = min(content.get(public_id, 0) + 1, 99)
    elif action == "remove":
        content.pop(public_id, None)


def _checkout(request: HttpRequest, content: dict[str, int]) -> HttpResponse:
    """Write the order's purchases; the server says so, so no browser can."""
    order = f"web-{uuid.uuid4().hex[:12]}"
    rows = products_by_public_id(public_ids=[uuid.UUID(each) for each in content])
    events = [
        {
            "id": uuid.uuid4(),
            "type": "purchase",
            "product": row.public_id,
            "order": order,
            "quantity": content[str(row.public_id)],
            "price": row.price,
            "currency": row.currency,
        }
        for row in rows
    ]
    record_events(events=events, shopper=identity_of(request).shopper, sender=Sender.SERVER)
    request.session[CART] = {}
    messages.success(request, _("Thank you. Your order is %(order)s.") % {"order": order})
    return redirect("shop_reco_storefront:home")


@require_GET
@ensure_csrf_cookie
def portrait(request: HttpRequest) -> HttpResponse:
    found = run(request, "portrait")
    for each in found["me"]["consents"]:
        each["name"] = Consent.Purpose(each["purpose"].lower()).label
    if drawn := found["portrait"]:
        drawn["segment_name"] = Portrait.Segment(drawn["segment"]).label
        strongest = max((each["weight"] for each in drawn["interests"]), default=0) or 1
        for each in drawn["interests"]:
            each["share"] = round(100 * each["weight"] / strongest)
    return page(request, "portrait", found)


@require_POST
def shop_as(request: HttpRequest) -> HttpResponse:
    """Impersonation, for demonstrations only."""
    if not reco_settings().DEMO_SWITCHER:
        raise Http404
    name = request.POST.get("household", "")
    if name:
        request.session[SHOP_AS] = name
    else:
        request.session.pop(SHOP_AS, None)
    response = redirect("shop_reco_storefront:home")
    response.delete_cookie(reco_settings().VISITOR_COOKIE)
    return response


@require_GET
@cache_control(max_age=86_400, public=True)
def picture(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse(picture_of(slug.replace("-", " ")), content_type="image/svg+xml")
