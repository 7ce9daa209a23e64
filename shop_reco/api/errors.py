"""Errors that a client can act on: a code for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from graphql import GraphQLError, GraphQLSyntaxError

from shop_reco.database_errors import cannot_serve
from shop_reco.events.drafts import storable
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import existing_ids

GREATEST = Decimal(10) ** 9
LIMITED = "RATE_LIMITED"
UNAVAILABLE, RETRY_AFTER = "UNAVAILABLE", 5
"""The database cannot do it now, and the seconds after which it is worth another try."""

TRY_LATER = f"this cannot be stored or read at the moment; send the same again in {RETRY_AFTER} s"


class ApiError(GraphQLError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


def check(**values: str | Decimal | None) -> None:
    """Refuse what no database can be asked for; the names are those of the fields in the schema.

    Raises:
        ApiError: BAD_VALUE, naming the field.
    """
    for field, value in values.items():
        if isinstance(value, Decimal) and not (value.is_finite() and abs(value) < GREATEST):
            raise ApiError("BAD_VALUE", f"{field} must be a number below {GREATEST}")
        if isinstance(value, str) and not storable(value):
            raise ApiError("BAD_VALUE", f"{field} has characters that cannot be stored")


@contextmanager
def unless_gone(shopper: Shopper | None) -> Iterator[None]:
    """Answer GONE where a write failed because the shopper was erased meanwhile."""
    try:
        yield
    except IntegrityError:
        if shopper is None or existing_ids(ids={shopper.pk}):
            raise
        raise gone() from None


def gone() -> ApiError:
    return ApiError("GONE", "this shopper was erased meanwhile")


def shown(error: GraphQLError) -> dict[str, Any]:
    """The error as the client sees it; an unforeseen one keeps its text for the log."""
    code = (error.extensions or {}).get("code") or _code(error)
    if code == UNAVAILABLE:
        return {"message": TRY_LATER, "path": error.path, "extensions": {"code": code, "retryAfter": RETRY_AFTER}}
    if code == "INTERNAL":
        return {"message": "something went wrong here", "path": error.path, "extensions": {"code": code}}
    message = error.message if settings.DEBUG else error.message.partition(" Did you mean")[0]
    return {**error.formatted, "message": message, "extensions": {**(error.extensions or {}), "code": code}}


def _code(error: GraphQLError) -> str:
    """Tell errors of the client from ours: graphql-core gives no codes, and a path only to what a resolver raised."""
    if isinstance(error, GraphQLSyntaxError):
        return "BAD_DOCUMENT"
    cause = error.original_error
    if cannot_serve(cause):
        return UNAVAILABLE
    if error.path is not None:
        return "BAD_VALUE" if isinstance(cause, GraphQLError) and error.message.startswith("Argument ") else "INTERNAL"
    if isinstance(cause, RecursionError):
        return "BAD_DOCUMENT"
    if cause is not None and not error.locations:
        return "INTERNAL"
    coerced = (" got invalid value", " has invalid value", " was not provided", " must not be null", " expected value")
    variable = error.message.startswith("Variable ") and any(words in error.message for words in coerced)
    return "BAD_VALUE" if variable or "Too many errors processing variables" in error.message else "BAD_DOCUMENT"
