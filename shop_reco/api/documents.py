"""The documents that pages run: the same schema and the same context as over HTTP."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.template.loader import get_template

from .context import Context
from .identity import Identity, identity_of
from .schema import schema


class DocumentError(RuntimeError):
    """A page's document was refused or failed."""


@lru_cache
def _source(name: str) -> str:
    return str(get_template(f"shop_reco/graphql/{name}.graphql").template.source)  # type: ignore[attr-defined]


def run(request: HttpRequest, name: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute ``templates/shop_reco/graphql/<name>.graphql`` for whoever asks for the page.

    Raises:
        DocumentError: If it answered with errors.
    """
    identity: Identity = identity_of(request)
    result = schema.execute_sync(
        _source(name), variable_values=variables or {}, context_value=Context(request, identity)
    )
    if result.errors:
        raise DocumentError("; ".join(error.message for error in result.errors))
    return result.data or {}
