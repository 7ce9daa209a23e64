"""What is refused before anyone looks at what it says: by status, with a code for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from shop_reco.measures import refused

from .errors import RETRY_AFTER, TRY_LATER, UNAVAILABLE


def refusal(status: int, code: str, message: str) -> JsonResponse:
    refused(code)
    return JsonResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status=status)


def too_large(request: HttpRequest, most: int) -> JsonResponse | None:
    """A refusal if the body has more than ``most`` bytes; one that announces so is not even read."""
    announced = request.headers.get("Content-Length") or "0"
    if announced.isdecimal() and int(announced) <= most and len(request.body) <= most:
        return None
    return refusal(413, "TOO_LARGE", f"the body may have {most} bytes at most")


def try_later(response: HttpResponse | None = None) -> HttpResponse:
    """The answer, or a refusal, of a database that cannot do it now: whoever asked may send the same again."""
    response = response or refusal(503, UNAVAILABLE, TRY_LATER)
    response.status_code = 503
    response["Retry-After"] = str(RETRY_AFTER)
    return response
