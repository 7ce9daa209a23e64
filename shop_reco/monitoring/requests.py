"""A name for each request: in every line that it writes, and in its response."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, unbind_contextvars

from shop_reco import measures

HEADER = "X-Request-ID"
TAKEN = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""What a proxy in front may call a request: 32 hexadecimal digits, plain or as a UUID. Anything else may be a name."""


def request_ids(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the outermost: takes the name that a proxy gave, or makes one."""

    def named(request: HttpRequest) -> HttpResponse:
        started, given = perf_counter(), request.headers.get(HEADER, "")
        name = given if TAKEN.fullmatch(given) else str(uuid.uuid4())
        bind_contextvars(request_id=name)
        response = get_response(request)
        response[HEADER] = name
        measures.answered(status=response.status_code, seconds=perf_counter() - started)
        return response

    return named


@receiver(request_finished)
def forget_name(**kwargs: Any) -> None:
    """Not in the middleware: Django tells of a 404 or a 500 after the last of them has returned."""
    unbind_contextvars("request_id")
