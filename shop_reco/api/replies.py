"""What is refused before anyone looks at what it says: by status, with a code for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from shop_reco.measures import refused

from .errors import LIMITED, RETRY_AFTER, TRY_LATER, UNAVAILABLE, ApiError


def refusal(status: int, code: str, message: str) -> JsonResponse:
    refused(code)
    content = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return JsonResponse(content, status=status, headers={"Cache-Control": "no-store"})


def refused_by(error: ApiError) -> HttpResponse:
    """A refusal of a whole request by one error; of one that comes too often, with when to come again."""
    extensions = error.extensions or {}
    code = extensions["code"]
    response = refusal(413 if code == "DOCUMENT_TOO_LARGE" else 400, code, error.message)
    return slow_down(response, extensions["retryAfter"]) if code == LIMITED else response


def slow_down(response: HttpResponse, seconds: int) -> HttpResponse:
    """The answer to whoever asks for too much in a short time."""
    response.status_code = 429
    response["Retry-After"] = str(seconds)
    return response


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
