"""GraphQL over HTTP: POST and JSON only, from this origin, of a bounded size."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from shop_reco.conf import reco_settings

from .context import Context
from .identity import ForbiddenError, Identity, identity_of, remember
from .schema import schema


def refusal(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status=status)


@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer one operation. A foreign page cannot send JSON without a preflight, and its Origin is refused."""
    if request.method != "POST":
        return refusal(405, "METHOD", "POST a JSON document")
    if request.content_type != "application/json":
        return refusal(415, "MEDIA_TYPE", "Content-Type must be application/json")
    if not _same_origin(request):
        return refusal(403, "BAD_ORIGIN", "requests from this origin are not accepted")
    most = reco_settings().BODY_BYTES * (4 if "Authorization" in request.headers else 1)
    if int(request.headers.get("Content-Length") or 0) > most or len(request.body) > most:
        return refusal(413, "TOO_LARGE", f"the body may have {most} bytes at most")
    try:
        body = json.loads(request.body, parse_constant=_no_constant)
        query, variables = body["query"], body.get("variables") or {}
        if not isinstance(query, str) or not isinstance(variables, dict):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        return refusal(400, "BAD_JSON", "send an object with query and, if needed, variables")
    try:
        identity = identity_of(request)
    except ForbiddenError as error:
        return refusal(403, "FORBIDDEN", str(error))
    return remember(_answer(request, identity, query, variables, body.get("operationName")), identity)


def _answer(
    request: HttpRequest, identity: Identity, query: str, variables: dict[str, Any], operation: str | None
) -> HttpResponse:
    result = schema.execute_sync(
        query, variable_values=variables, context_value=Context(request, identity), operation_name=operation
    )
    content: dict[str, Any] = {"data": result.data}
    if result.errors:
        content["errors"] = [_shown(error) for error in result.errors]
    response = JsonResponse(content)
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Cookie", "Authorization", "X-Shopper", "Accept-Language"])
    return response


def _shown(error: Any) -> dict[str, Any]:
    """An unforeseen error keeps its text for the log."""
    if error.original_error is not None and not error.extensions:
        return {"message": "something went wrong here", "path": error.path, "extensions": {"code": "INTERNAL"}}
    message = error.message if settings.DEBUG else error.message.partition(" Did you mean")[0]
    return {**error.formatted, "message": message}


def _same_origin(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin in settings.CSRF_TRUSTED_ORIGINS or urlsplit(origin).netloc == request.get_host()


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
