"""Who has nothing left and asks on is refused before Django: whoever shops meanwhile waits for all that it costs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.http import Http404
from django.urls import resolve

from shop_reco import measures
from shop_reco.conf import reco_settings

from .replies import refused_by
from .spending import nothing_left

DOORS = frozenset({"shop_reco_api:graphql", "shop_reco_events:beacon"})
"""Where a browser spends a point of its address."""
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def turn_floods_away(application: Application) -> Application:
    """A WSGI application that gives the refusal which the view would give, without the work of Django and the view."""

    def guarded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and "HTTP_AUTHORIZATION" not in environ:
            started, poor = perf_counter(), nothing_left(environ)
            if poor is not None and _is_door(environ.get("PATH_INFO", "")) and _read(environ):
                response = refused_by(poor)
                response["X-Request-ID"] = str(uuid.uuid4())
                response["Content-Length"] = str(len(response.content))
                response["X-Content-Type-Options"] = "nosniff"
                measures.answered(status=response.status_code, seconds=perf_counter() - started)
                start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
                return [response.content]
        return application(environ, start_response)

    return guarded


@lru_cache(maxsize=64)
def _is_door(path: str) -> bool:
    try:
        return resolve(path).view_name in DOORS
    except Http404:
        return False


def _read(environ: Environ) -> bool:
    """Whether the body is short enough to be read; one that nobody reads would cost its sender the connection."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > reco_settings().BODY_BYTES:
        return False
    environ["wsgi.input"].read(int(length))
    return True
