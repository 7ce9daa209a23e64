"""Where a request comes from, as far as the shop's own proxies tell."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from shop_reco.conf import reco_settings

PREFIX = {4: 32, 6: 64}
"""Bits of an address that tell one connection from another."""


def address_of(request: HttpRequest) -> str:
    """The network that a request comes from, as far as the shop's own proxies tell; never what a client claims."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """The same of a request that is still a WSGI environment."""
    address = environ.get("REMOTE_ADDR", "")
    if trusted := reco_settings().RATE_TRUSTED:
        told = [each.strip() for each in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
        address = told[-trusted] if len(told) >= trusted else address
    return _network_of(address)


@functools.lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    known = getattr(known, "ipv4_mapped", None) or known  # a socket for both kinds tells IPv4 so
    return str(ipaddress.ip_network((known, PREFIX[known.version]), strict=False))
