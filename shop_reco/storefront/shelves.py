"""The pages of many products: a search and a category, by name or in the shopper's own order."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from shop_reco.api.documents import DocumentError, context_of, run
from shop_reco.products.selectors import categories

from .lists import as_shown
from .views import page

SIZE, BLOCK = 24, 96
"""Products of a page, and of those that are put into the shopper's own order at once."""
PLAIN = "reco_plain_order"
"""The cookie of a shopper who switched their own order off; it names nobody."""
HALF_A_YEAR = 180 * 86_400


@require_GET
@ensure_csrf_cookie
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()[:256]
    heading = _("Search: %(words)s") % {"words": text} if text else _("Search")
    return _shelf(request, {"search": text}, {"q": text, "heading": heading})


@require_GET
@ensure_csrf_cookie
def category(request: HttpRequest, slug: str) -> HttpResponse:
    chosen = None if "\x00" in slug else categories().select_related("parent").filter(slug=slug).first()
    if chosen is None:
        raise Http404
    shelves = run(request, "shelves", {"below": slug})["categories"]
    content = {"chosen": chosen, "heading": chosen.name, "shelves": shelves}
    return _shelf(request, {"filter": {"category": slug}}, content)


def _shelf(request: HttpRequest, wish: dict[str, Any], content: dict[str, Any]) -> HttpResponse:
    """A page of products, in the shopper's own order unless they switched it off, which is remembered."""
    asked = request.GET.get("order")
    plain = asked == "plain" if asked else request.COOKIES.get(PLAIN) == "1"
    words = {"q": content["q"]} if content.get("q") else {}
    found = (None if plain else _in_own_order(request, wish)) or _by_name(request, wish)
    more = found.pop("more")
    content |= {
        "plain": plain,
        "first_page": not request.GET.get("after") and not request.GET.get("from"),
        "link_mine": f"?{urlencode(words | {'order': 'mine'})}",
        "link_plain": f"?{urlencode(words | {'order': 'plain'})}",
        "link_more": f"?{urlencode(words | more)}" if more else "",
    }
    response = page(request, "search", found | content)
    if asked == "plain":
        response.set_cookie(PLAIN, "1", max_age=HALF_A_YEAR, httponly=True, samesite="Lax")
    elif asked:
        response.delete_cookie(PLAIN)
    return response


def _by_name(request: HttpRequest, wish: dict[str, Any]) -> dict[str, Any]:
    products = _run_from(request, "products", wish | {"first": SIZE}, request.GET.get("after"))["products"]
    info = products["pageInfo"]
    return {"products": products["edges"], "more": {"after": info["endCursor"]} if info["hasNextPage"] else {}}


def _in_own_order(request: HttpRequest, wish: dict[str, Any]) -> dict[str, Any] | None:
    """The next of a block of products, what is likely to be wanted first; None where nobody's order is known."""
    if context_of(request).shopper is None:
        return None
    block_from = request.GET.get("from")
    block = _run_from(request, "found", wish | {"first": BLOCK}, block_from)["products"]
    ids = [edge["node"]["id"] for edge in block["edges"]]
    if not ids:
        return {"products": [], "more": {}}
    ordered = _run_from(request, "reordered", {"products": ids, "first": SIZE}, request.GET.get("after"))["list"]
    if not ordered["personalised"]:
        return None
    more: dict[str, str] = {}
    if ordered["pageInfo"]["hasNextPage"]:
        more = {"from": block_from or "", "after": ordered["pageInfo"]["endCursor"]}
    elif block["pageInfo"]["hasNextPage"]:
        more = {"from": block["pageInfo"]["endCursor"]}
    return {"products": ordered["edges"], "ordered": as_shown(ordered), "more": more}


def _run_from(request: HttpRequest, name: str, wish: dict[str, Any], after: str | None) -> dict[str, Any]:
    """The page behind a cursor; one that leads nowhere gives the first page."""
    if after:
        try:
            return run(request, name, wish | {"after": after})
        except DocumentError:
            pass
    return run(request, name, wish)
