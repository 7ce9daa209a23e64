"""A flood is turned away before it costs anything: whoever shops meanwhile waits for all that it does cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse

from shop_reco.conf import reco_settings

from .replies import refused_by, too_large
from .spending import nothing_left

DOORS = ("shop_reco_api:graphql", "shop_reco_events:beacon")
"""Where a browser spends a point of its address before anything else is looked at."""


def turn_floods_away(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: gives the refusal that the view would give, without the work of the other middleware and the view.

    It belongs behind SecurityMiddleware, whose headers its answers need too, and before all else.
    """

    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and "HTTP_AUTHORIZATION" not in request.META:
            poor = nothing_left(request)
            if poor is not None and request.path in _paths(get_urlconf(), get_script_prefix()):
                # A body that nobody reads would cost its sender the connection.
                response = too_large(request, reco_settings().BODY_BYTES) or refused_by(poor)
                response["Cache-Control"] = "no-store"
                response["Content-Length"] = str(len(response.content))
                return response
        return get_response(request)

    return guarded


@lru_cache(maxsize=16)
def _paths(urlconf: str | None, prefix: str) -> frozenset[str]:
    """The doors, of those that the project has."""
    found = set()
    for name in DOORS:
        try:
            found.add(reverse(name, urlconf=urlconf))
        except NoReverseMatch:
            continue
    return frozenset(found)
