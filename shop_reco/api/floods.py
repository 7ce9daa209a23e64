"""A flood of those who have nothing left is refused early: whoever shops meanwhile waits for all that it costs."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve

from shop_reco.conf import reco_settings

from .beacon import beacon
from .replies import refused_by, too_large
from .spending import nothing_left
from .views import graphql

DOORS = frozenset({graphql, beacon})
"""The views that have a browser spend a point of its address."""


def turn_floods_away(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: gives the refusal that these views would give, without their work and that of other middleware.

    It belongs behind SecurityMiddleware and whatever sets CORS headers, the client's address or the urlconf, and
    before sessions and the rest.
    """

    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and "HTTP_AUTHORIZATION" not in request.META:
            poor = nothing_left(request)
            if poor is not None and _is_door(request):
                # A body that nobody reads would cost its sender the connection.
                response = too_large(request, reco_settings().BODY_BYTES) or refused_by(poor)
                response["Content-Length"] = str(len(response.content))
                return response
        return get_response(request)

    return guarded


def _is_door(request: HttpRequest) -> bool:
    try:
        return resolve(request.path_info).func in DOORS
    except Http404:
        return False
