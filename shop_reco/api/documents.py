"""The documents of the shop's pages: run in process while a page is made, and by its script under their hashes."""

from __future__ import annotations

import hashlib
import time
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.template.loader import render_to_string

from .context import Context
from .identity import identity_of
from .schema import schema

OF_SCRIPTS = (
    "lists", "explain", "give_feedback", "withdraw_feedback", "update_consent", "edit_interests", "export_my_data",
    "erase_me",
)  # fmt: skip
"""What pages ask for after they were loaded: always among the documents that are known by their hash."""
_page: ContextVar[Context | None] = ContextVar("reco_page", default=None)
"""Of the page that is being made; not kept by its request, which Django itself ties into a ring with its user."""


class DocumentError(RuntimeError):
    """A page's document was refused or failed."""


@cache
def document(name: str) -> str:
    """The text of ``shop_reco/graphql/<name>.graphql``, which a project may replace by a template of its own."""
    return render_to_string(f"shop_reco/graphql/{name}.graphql")


@cache
def hash_of(name: str) -> str:
    """What ``name`` is asked for by: the SHA-256 of its text."""
    return hashlib.sha256(document(name).encode()).hexdigest()


@cache
def documents_of_scripts() -> dict[str, str]:
    """Their texts by hash."""
    return {hash_of(name): document(name) for name in OF_SCRIPTS}


def context_of(request: HttpRequest) -> Context:
    """The one of a page: who asks is read once for all of its documents."""
    context = _page.get()
    if context is None or context.request is not request:
        context = Context(request, identity_of(request))
        _page.set(context)
    context.began = time.monotonic()
    return context


@receiver(request_finished)
def forget_page(**kwargs: Any) -> None:
    _page.set(None)


def run(request: HttpRequest, name: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute a document for whoever asks for the page.

    Raises:
        DocumentError: If it answered with errors.
    """
    result = schema.execute_sync(document(name), variable_values=variables or {}, context_value=context_of(request))
    if result.errors:
        raise DocumentError("; ".join(error.message for error in result.errors))
    return result.data or {}
