"""GET /metrics: what Prometheus reads, for whoever has the token."""

from __future__ import annotations

import hmac

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from shop_reco.conf import reco_settings
from shop_reco.measures import Figure, exposition

from .selectors import shop_figures

logger = structlog.get_logger(__name__)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures; 404 without METRICS_TOKEN in the settings, 401 without it in the request."""
    token = reco_settings().METRICS_TOKEN
    if not token:
        return HttpResponse("there are no metrics here\n", status=404, content_type="text/plain")
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        answer = HttpResponse("send the token\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    content, media_type = exposition(_figures())
    answer = HttpResponse(content, content_type=media_type)
    answer["Cache-Control"] = "no-store"
    return answer


def _figures() -> list[Figure]:
    """Those of the database, and whether it answered: the others are told without it."""
    try:
        figures, up = shop_figures(), 1.0
    except (DatabaseError, InterfaceError) as error:
        logger.warning("figures_not_read", error=type(error).__name__)
        figures, up = [], 0.0
    return [*figures, Figure("shop_reco_database_up", "1 if the database answered this scrape.", (), [((), up)])]
