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

from shop_reco.api.documents import DocumentError, run
from shop_reco.api.identity import SHOP_AS, identity_of
from shop_reco.api.ids import global_id
from shop_reco.conf import reco_settings
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.reading import BEHIND_KINDS
from shop_reco.products.selectors import categories, product_by_public_id
from shop_reco.users.models import Consent
from shop_reco.users.selectors import some_external_ids

from . import cart as carts
from .pictures import picture_of
from .portraits import evidence_name, evidence_shown, portrait_shown

SAID_NO = "reco_said_no"
"""The cookie of a newcomer who does not want to be remembered; shop.js writes it, and it names nobody."""


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
    return response


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Whose events the page sends, if anyone's, and what a newcomer reads before they decide."""
    found = run(request, "around")
    return {"owner": found["me"]["mark"], "statements": _by_purpose(found["consentStatements"])}


def _by_purpose(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["purpose"].lower(): each for each in statements}


@require_GET
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    found = run(request, "home", {"first": 12})
    _tell_shares(found, "picked", "again", "popular")
    return page(request, "home", found | {"said_no": SAID_NO in request.COOKIES})


def _tell_shares(found: dict[str, Any], *lists: str) -> None:
    """Give each reason its percentage of the score; a score of zero or less has no shares."""
    for edge in (edge for name in lists for edge in found[name]["edges"]):
        for reason in edge["reasons"]:
            reason["share"] = round(100 * reason["points"] / edge["score"]) if edge["score"] > 0 else None


@require_GET
@ensure_csrf_cookie
def product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    row = product_by_public_id(public_id=public_id)
    if row is None or not row.open:
        raise Http404
    found = run(request, "product", {"id": global_id("Product", public_id)})
    _tell_shares(found, "similar", "together")
    return page(request, "product", found | {"public_id": public_id})


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()[:256]
    heading = _("Search: %(words)s") % {"words": text} if text else _("Search")
    return page(request, "search", _products(request, {"search": text}) | {"q": text, "heading": heading})


@require_GET
def category(request: HttpRequest, slug: str) -> HttpResponse:
    chosen = None if "\x00" in slug else categories().filter(slug=slug).first()
    if chosen is None:
        raise Http404
    found = _products(request, {"filter": {"category": slug}})
    return page(request, "search", found | {"heading": chosen.name})


def _products(request: HttpRequest, wish: dict[str, Any]) -> dict[str, Any]:
    """A page of products; a cursor that leads nowhere gives the first one."""
    wish, after = wish | {"first": 24}, request.GET.get("after")
    if after:
        try:
            return run(request, "products", wish | {"after": after})
        except DocumentError:
            pass
    return run(request, "products", wish)


def cart(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        action = request.POST.get("action", "")
        if action == "checkout":
            return _checkout(request)
        name, quantity = request.POST.get("product", ""), request.POST.get("quantity", "")
        carts.change(request.session, action=action, name=name, quantity=quantity)
        return redirect("shop_reco_storefront:cart")
    rows = carts.lines(request.session)
    return page(request, "cart", {"rows": rows, "totals": carts.totals(rows), "most": carts.MOST})


def _checkout(request: HttpRequest) -> HttpResponse:
    """Write the order's purchases; the server says so, so no browser can."""
    rows = carts.lines(request.session)
    if not rows:
        messages.error(request, _("Your cart is empty, so nothing was ordered."))
        return redirect("shop_reco_storefront:cart")
    order = f"web-{uuid.uuid4().hex[:12]}"
    events = [
        {
            "id": uuid.uuid4(),
            "type": "purchase",
            "product": row.product.public_id,
            "order": order,
            "quantity": row.quantity,
            "price": row.product.price,
            "currency": row.product.currency,
        }
        for row in rows
    ]
    record_events(events=events, shopper=identity_of(request).shopper, sender=Sender.SERVER)
    carts.empty(request.session)
    messages.success(request, _("Thank you. Your order is %(order)s.") % {"order": order})
    return redirect("shop_reco_storefront:home")


@require_GET
@ensure_csrf_cookie
def portrait(request: HttpRequest) -> HttpResponse:
    found = run(request, "portrait")
    statements = _by_purpose(found["consentStatements"])
    for each in found["me"]["consents"]:
        purpose = Consent.Purpose(each["purpose"].lower())
        each["name"], each["statement"] = purpose.label, statements.get(purpose)
    around: dict[str, Any] = {"currency": reco_settings().CURRENCY}
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
    around = {"evidence": evidence_shown(found), "name": evidence_name(wish["kind"], wish["key"])}
    return page(request, "portrait_evidence", around)


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
