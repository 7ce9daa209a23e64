"""Which pages may send requests here: those of this shop, and those that it trusts."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def origin_allowed(request: HttpRequest, *, required: bool = False) -> bool:
    """Whether the page that sent this is of this address or in CSRF_TRUSTED_ORIGINS, as Django reads it.

    Browsers name the Origin of every POST. Without one it was no browser: ``required`` refuses that too.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return not required
    if origin == f"{request.scheme}://{request.get_host()}":
        return True
    return any(_covers(trusted, origin) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _covers(trusted: str, origin: str) -> bool:
    """``https://*.shop.example`` covers every address below shop.example; a name without a star only itself."""
    scheme, star, domain = trusted.partition("*")
    if not star:
        return origin == trusted
    return origin.startswith(scheme) and origin.endswith(domain) and len(origin) > len(trusted) - 1
