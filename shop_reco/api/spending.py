"""What each sender may spend: a visitor, an address behind which many shop, a server with a key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpRequest

from shop_reco.addresses import address_in
from shop_reco.conf import reco_settings
from shop_reco.users.allowances import allowances
from shop_reco.users.models import ApiKey, Shopper

from .errors import LIMITED, ApiError

OBJECTS_A_POINT = 10
"""Objects that a document may lead to, or events of a beacon, that cost a point."""


@dataclass(frozen=True)
class Spender:
    """Whose points a request spends: names, with how many times a visitor's points each has."""

    names: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, request: HttpRequest, key: ApiKey | None = None, shopper: Shopper | None = None) -> Self:
        """A server spends by its key; a browser by its shopper, if known, and by its address."""
        reco = reco_settings()
        if key is not None:
            return cls(((f"key:{key.pk}", reco.RATE_SERVER),))
        names = [(_behind(request.META), reco.RATE_SHARED)]
        if shopper is not None:
            names.append((f"shopper:{shopper.pk}", 1))
        return cls(tuple(names))

    def take(self, points: int) -> ApiError | None:
        """Spend points; the refusal, if there are too few."""
        reco = reco_settings()
        if reco.RATE_POINTS <= 0:
            return None
        waits = [
            allowances.take(name, points, size=reco.RATE_POINTS * times, refill=reco.RATE_REFILL * times)
            for name, times in self.names
        ]
        return _refusal(max(waits)) if any(waits) else None

    def left(self) -> dict[str, Any]:
        """Points left, and how many come back in a second, of whoever has least; nothing where there is no limit."""
        reco = reco_settings()
        known = [(allowances.left(name), times) for name, times in self.names]
        least = min(((left, times) for left, times in known if left is not None), default=None)
        if reco.RATE_POINTS <= 0 or least is None:
            return {}
        return {"left": math.floor(least[0]), "perSecond": reco.RATE_REFILL * least[1]}


def nothing_left(environ: Mapping[str, Any]) -> ApiError | None:
    """The refusal of a browser whose address has not one point left, as ``take`` would have it; nothing is spent.

    Args:
        environ: The request's WSGI environment.
    """
    wait = allowances.wait(_behind(environ), 1) if reco_settings().RATE_POINTS > 0 else 0
    return _refusal(wait) if wait else None


def _behind(environ: Mapping[str, Any]) -> str:
    return f"address:{address_in(environ)}"


def _refusal(wait: float) -> ApiError:
    seconds = max(1, math.ceil(wait))
    error = ApiError(LIMITED, f"too much was asked for in a short time; try again in {seconds} s")
    error.extensions = {**(error.extensions or {}), "retryAfter": seconds}
    return error
