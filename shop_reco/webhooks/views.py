"""The address that shops call: POST /webhooks/<source key>/."""

from __future__ import annotations

import re

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from shop_reco.conf import reco_settings
from shop_reco.measures import refused

from . import services
from .models import WebhookSource
from .selectors import source_by_key
from .signatures import RefusalError

logger = structlog.get_logger(__name__)
PING = re.compile(rb"webhook_id=\d{1,20}")


@csrf_exempt
def webhook(request: HttpRequest, key: str) -> HttpResponse:
    """Take one delivery; who calls is proved by the signature alone, so no cookie and no session is read."""
    if request.method != "POST":
        return _json(405, {"state": "refused", "code": "METHOD", "message": "POST a JSON document"})
    try:
        source = source_by_key(key=key)
        if source is None:
            return _json(404, {"state": "refused", "code": "UNKNOWN_SOURCE", "message": "no source has this address"})
        return _taken(request, source)
    except DatabaseError as error:
        logger.error("webhook_postponed", source=key, error=type(error).__name__)
        response = _json(503, {"state": "postponed", "code": "TRY_AGAIN", "message": "try again in a moment"})
        response["Retry-After"] = "5"
        return response


def _taken(request: HttpRequest, source: WebhookSource) -> HttpResponse:
    most = reco_settings().WEBHOOK_BYTES
    announced = request.headers.get("Content-Length") or "0"
    call = services.Call(headers=request.headers, body=b"", media_type=request.content_type or "")
    if not announced.isdecimal() or int(announced) > most:
        error = RefusalError(413, "TOO_LARGE", f"the body may have {most} bytes at most")
        return _answered(services.refuse(source=source, call=call, error=error))
    try:
        body = request.read(most + 1)
    except UnreadablePostError:
        error = RefusalError(400, "BAD_BODY", "the body ended early")
        return _answered(services.refuse(source=source, call=call, error=error))
    if source.kind == WebhookSource.Kind.WOOCOMMERCE and PING.fullmatch(body):
        # WooCommerce asks so, unsigned, whether anyone is there before it saves a webhook
        return _json(200, {"state": "pong"})
    call = services.Call(headers=request.headers, body=body, media_type=request.content_type or "")
    return _answered(services.receive(source=source, call=call))


def _answered(answer: services.Answer) -> HttpResponse:
    return _json(answer.status, answer.content)


def _json(status: int, content: dict[str, object]) -> JsonResponse:
    if status >= 400:
        refused(str(content.get("code", "")))
    response = JsonResponse(content, status=status)
    response["Cache-Control"] = "no-store"
    return response
