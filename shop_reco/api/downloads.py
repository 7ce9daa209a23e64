"""Files over HTTP: an export for its shopper, once; receipts and the key that they are checked with, for anyone."""

from __future__ import annotations

import uuid

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from shop_reco.privacy.errors import NoExportError
from shop_reco.privacy.exports import export_of, fetch_export
from shop_reco.privacy.models import Export
from shop_reco.privacy.receipts import public_key, receipt_file

from .identity import ForbiddenError, identity_of
from .views import refusal

PRIVACY = "privacy:admin"


@require_safe
def export(request: HttpRequest, token: str) -> HttpResponseBase:
    """The zip of an export. HEAD asks whether it is ready (200, else 202 with X-Progress), and uses nothing up."""
    try:
        identity = identity_of(request)
        found = export_of(token=token, shopper=identity.shopper if identity.may(PRIVACY) else None)
        answer = _answer(request, found)
    except (ForbiddenError, NoExportError):
        answer = _none()
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    patch_vary_headers(answer, ["Cookie", "Authorization", "X-Shopper"])  # alike, whatever was looked at
    return answer


def _answer(request: HttpRequest, found: Export) -> HttpResponseBase:
    if found.ready_at is None:
        answer = HttpResponse(status=202, content_type="text/plain")
        answer["Retry-After"] = "5"
        answer["X-Progress"] = f"{found.progress:.2f}"
        return answer
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip")
    file = fetch_export(export=found)
    return FileResponse(file, as_attachment=True, filename="my-data.zip", content_type="application/zip")


def _none() -> HttpResponse:
    """The same for a link that nobody was given, that is somebody else's, was used or ran out."""
    return refusal(404, "NOT_FOUND", "there is no such export; ask for a new one")


@require_safe
def receipt(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """An erasure's receipt, which names nobody: ``python -m shop_reco.privacy.verify`` checks it."""
    content = receipt_file(public_id=public_id)
    if content is None:
        return refusal(404, "NOT_FOUND", "there is no such receipt")
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="receipt-{public_id}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
def receipt_key(request: HttpRequest) -> HttpResponse:
    """The public key (Ed25519, hex) of this shop's receipts."""
    return HttpResponse(public_key() + "\n", content_type="text/plain")
