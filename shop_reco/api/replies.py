"""What is refused before anyone looks at what it says: by status, with a code for programs."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse


def refusal(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status=status)


def too_large(request: HttpRequest, most: int) -> JsonResponse | None:
    """A refusal if the body has more than ``most`` bytes; one that announces so is not even read."""
    announced = request.headers.get("Content-Length") or "0"
    if announced.isdecimal() and int(announced) <= most and len(request.body) <= most:
        return None
    return refusal(413, "TOO_LARGE", f"the body may have {most} bytes at most")
