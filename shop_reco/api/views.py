"""GraphQL over HTTP: POST and JSON only, from this origin, of a bounded size."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from shop_reco.conf import reco_settings
from shop_reco.database_errors import cannot_serve
from shop_reco.measures import refused
from shop_reco.staff.second_factor import works_as_staff
from shop_reco.users.models import ApiKey

from .context import Context
from .errors import LIMITED, UNAVAILABLE, ApiError, shown
from .identity import ForbiddenError, Identity, identity_of, key_in, remember
from .limits import check_tokens
from .origins import origin_allowed
from .persisted import document_in
from .replies import refusal, refused_by, slow_down, too_large, try_later
from .schema import schema
from .spending import Spender

SERVER_TIMES = 4
"""How many times what a browser may send a server may, once its key is known."""


class Operation(NamedTuple):
    """What a request asks for."""

    query: str
    variables: dict[str, Any]
    name: str | None


@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer one operation. A foreign page cannot send JSON without a preflight, and its Origin is refused."""
    if request.method != "POST":
        return refusal(405, "METHOD", "POST a JSON document")
    if request.content_type != "application/json":
        return refusal(415, "MEDIA_TYPE", "Content-Type must be application/json")
    if not origin_allowed(request):
        return refusal(403, "BAD_ORIGIN", "requests from this origin are not accepted")
    try:
        return _admitted(request, key_in(request))
    except ForbiddenError as error:
        poor = Spender.of(request).take(1)
        return refusal(403, "FORBIDDEN", str(error)) if poor is None else refused_by(poor)
    except (DatabaseError, InterfaceError) as error:
        if not cannot_serve(error):
            raise
        return try_later()


def _admitted(request: HttpRequest, key: ApiKey | None) -> HttpResponse:
    """Read the body, of which a server may send more than a browser, and answer.

    Raises:
        ForbiddenError: If a browser names a shopper.
    """
    most = reco_settings().BODY_BYTES * (1 if key is None else SERVER_TIMES)
    if (large := too_large(request, most)) is not None:
        return large
    if (poor := Spender.of(request, key).take(1)) is not None:
        return refused_by(poor)
    try:
        operation = _operation(json.loads(request.body, parse_constant=_no_constant), free=_is_free(request, key))
    except ApiError as error:
        return refused_by(error)
    except (ValueError, TypeError, KeyError, RecursionError):
        return refusal(400, "BAD_JSON", "send an object with query and, if needed, variables and operationName")
    try:
        check_tokens(operation.query)
    except ApiError as error:
        return refused_by(error)
    identity = identity_of(request, key=key)
    return remember(_answer(request, identity, operation), identity)


def _is_free(request: HttpRequest, key: ApiKey | None) -> bool:
    """Whether whoever asks may send documents of their own: all, unless the shop wants its own alone from browsers."""
    return not reco_settings().PERSISTED_ONLY or key is not None or works_as_staff(request)


def _operation(body: Any, *, free: bool) -> Operation:
    """Raises TypeError, ValueError or KeyError where the body is none, ApiError where its document is not answered."""
    query, variables, name = document_in(body, free=free), body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise TypeError
    if not query.strip():
        raise ValueError
    return Operation(query, variables or {}, name)


def _answer(request: HttpRequest, identity: Identity, operation: Operation) -> HttpResponse:
    context = Context(request, identity, metered=True)
    try:
        result = schema.execute_sync(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.name,
        )
    except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError):
        return refusal(400, "BAD_DOCUMENT", "the document has no such query or mutation")
    content: dict[str, Any] = {"data": result.data}
    if result.extensions:
        content["extensions"] = {**result.extensions, "rate": context.left()}
    if result.errors:
        content["errors"] = [shown(error) for error in result.errors]
        for error in content["errors"]:
            refused(error["extensions"]["code"])
    response: HttpResponse = JsonResponse(content)
    codes = {error["extensions"]["code"] for error in content.get("errors", ())}
    if UNAVAILABLE in codes:
        response = try_later(response)
    elif LIMITED in codes:
        response = slow_down(response, content["errors"][0]["extensions"]["retryAfter"])
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Cookie", "Authorization", "X-Shopper", "Accept-Language"])
    return response


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
