"""The pages of the shop; what they show comes from GraphQL documents."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from shop_reco.api.documents import run
from shop_reco.api.identity import SHOP_AS, identity_of
from shop_reco.api.ids import global_id
from shop_reco.conf import reco_settings
from shop_reco.portraits.reading import BEHIND_KINDS
from shop_reco.products.selectors import product_by_public_id
from shop_reco.users.models import Consent
from shop_reco.users.selectors import some_external_ids

from . import cart as carts
from . import orders
from .history import history_shown
from .pictures import picture_of
from .portraits import evidence_name, evidence_shown, portrait_shown

SAID_NO = "reco_said_no"
"""The cookie of a newcomer who does not want to be remembered; shop.js writes it, and it names nobody."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: its own scripts and styles, none of which stands in the page itself."""


def page(request: HttpRequest, template: str, content: dict[str, Any]) -> HttpResponse:
    """A page with what every page shows around it."""
    reco = reco_settings()
    around = {
        "cart_size": carts.size(request.session),
        "switcher": some_external_ids(limit=30) if reco.DEMO_SWITCHER else [],
        "shopping_as": request.session.get(SHOP_AS, ""),
        **_asked(request),
    }
    response = render(request, f"shop_reco/{template}.html", around | content)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = POLICY
    return response


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Whose events the page sends, if anyone's, and what a newcomer reads before they decide."""
    found = run(request, "around")
    me = found["me"]
    return {"owner": me["mark"], "known": me["known"], "statements": _by_purpose(found["consentStatements"])}


def _by_purpose(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["purpose"].lower(): each for each in statements}


@require_GET
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    shelves = run(request, "shelves", {"below": ""})["categories"]
    return page(request, "home", {"shelves": shelves, "said_no": SAID_NO in request.COOKIES})


@require_GET
@ensure_csrf_cookie
def product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    row = product_by_public_id(public_id=public_id)
    if row is None or not row.open:
        raise Http404
    found = run(request, "product", {"id": global_id("Product", public_id)})
    return page(request, "product", found | {"public_id": public_id})


def cart(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        name, quantity = request.POST.get("product", ""), request.POST.get("quantity", "")
        changed = carts.change(request.session, action=request.POST.get("action", ""), name=name, quantity=quantity)
        if changed is not None:
            orders.tell_cart(shopper=identity_of(request).shopper, change=changed)
        return redirect("shop_reco_storefront:cart")
    rows = carts.lines(request.session)
    content = {"rows": rows, "totals": carts.totals(rows), "most": carts.MOST, "ids": orders.ids_of(rows)}
    return page(request, "cart", content | {"here": "cart"})


def checkout(request: HttpRequest) -> HttpResponse:
    rows = carts.lines(request.session)
    if not rows:
        messages.error(request, _("Your cart is empty, so nothing was ordered."))
        return redirect("shop_reco_storefront:cart")
    if request.method == "POST":
        order = orders.place(rows, shopper=identity_of(request).shopper)
        carts.empty(request.session)
        request.session[orders.PLACED] = {"order": order, "ids": orders.ids_of(rows)}
        return redirect("shop_reco_storefront:thanks")
    return page(request, "checkout", {"rows": rows, "totals": carts.totals(rows), "here": "cart"})


@require_GET
def thanks(request: HttpRequest) -> HttpResponse:
    placed = request.session.get(orders.PLACED)
    return page(request, "thanks", placed) if placed else redirect("shop_reco_storefront:home")


@require_GET
@ensure_csrf_cookie
def portrait(request: HttpRequest) -> HttpResponse:
    found = run(request, "portrait")
    statements = _by_purpose(found["consentStatements"])
    for each in found["me"]["consents"]:
        purpose = Consent.Purpose(each["purpose"].lower())
        each["name"], each["statement"] = purpose.label, statements.get(purpose)
    around: dict[str, Any] = {"currency": reco_settings().CURRENCY, "here": "account"}
    if drawn := found["portrait"]:
        around |= portrait_shown(drawn, around["currency"])
    return page(request, "portrait", found | around)


@require_GET
def portrait_evidence(request: HttpRequest) -> HttpResponse:
    """The events behind one number of the portrait; a number that there is none of has no page."""
    wish = {name: request.GET.get(name, "").replace("\x00", "")[:512] for name in ("kind", "key")}
    if wish["kind"] not in BEHIND_KINDS:
        raise Http404
    found = run(request, "evidence", wish)["portraitEvidence"]
    if found is None:
        raise Http404
    around = {"evidence": evidence_shown(found), "name": evidence_name(wish["kind"], wish["key"]), "here": "account"}
    return page(request, "portrait_evidence", around)


@require_GET
@ensure_csrf_cookie
def history(request: HttpRequest) -> HttpResponse:
    return page(request, "history", history_shown(request) | {"here": "account"})


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
