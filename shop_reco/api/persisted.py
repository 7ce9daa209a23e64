"""Documents that the shop knows beforehand: asked for by their hash, and, where the shop wants it so, no others.

They lie as ``*.graphql`` files in PERSISTED_ROOT and below, each with its fragments; whoever builds the storefront puts
them there. Those of the plugin's own scripts are known without. A request names one by the SHA-256 of the file, as
``documentId`` ("sha256:…") or as Apollo's clients do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from shop_reco.conf import reco_settings

from .documents import documents_of_scripts
from .errors import ApiError

PREFIX = "sha256:"


def document_in(body: Any, *, free: bool) -> str:
    """The document that a request sends or names.

    Args:
        free: Whether others than the known ones may be sent.
    Raises:
        ApiError: NOT_PERSISTED, if it is none of those that may be asked.
        KeyError, TypeError: If the request names none.
    """
    if not isinstance(body, Mapping):
        raise TypeError
    reco, name = reco_settings(), _named(body)
    known = _documents(reco.PERSISTED_ROOT)
    if name is not None:
        if name not in known:
            raise ApiError("NOT_PERSISTED", "no document with this hash is known here; send it as query")
        return known[name]
    query = body["query"]
    if not isinstance(query, str):
        raise TypeError
    if not free and hashlib.sha256(query.encode(errors="replace")).hexdigest() not in known:
        raise ApiError("NOT_PERSISTED", "only the shop's own documents are answered here")
    return query


def _named(body: Mapping[str, Any]) -> str | None:
    name = body.get("documentId")
    extensions = body.get("extensions")
    if name is None and isinstance(extensions, Mapping) and isinstance(extensions.get("persistedQuery"), Mapping):
        name = extensions["persistedQuery"].get("sha256Hash")
    if name is None or (body.get("query") and "documentId" not in body):
        return None
    if not isinstance(name, str):
        raise TypeError
    return name.removeprefix(PREFIX).lower()


@lru_cache(maxsize=4)
def _documents(root: Path | None) -> dict[str, str]:
    """By hash; read once a process."""
    if root is None:
        return documents_of_scripts()
    texts = (path.read_text() for path in sorted(root.rglob("*.graphql")))
    return documents_of_scripts() | {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}
