from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import strawberry
from django.http import HttpRequest

from shop_reco.conf import reco_settings
from shop_reco.recommendations.selectors import said_of_products
from shop_reco.recommendations.serving import Known
from shop_reco.staff.second_factor import works_as_staff
from shop_reco.users.models import Shopper

from .errors import ApiError
from .identity import Identity
from .spending import OBJECTS_A_POINT, Spender


@dataclass
class Context:
    """What every resolver may ask of the request.

    Attributes:
        metered: Whether the operation is paid for: a page's own documents are not.
    """

    request: HttpRequest
    identity: Identity
    metered: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def shopper(self) -> Shopper | None:
        return self.identity.shopper

    def need(self, scope: str) -> None:
        """Refuse a server key without the scope, and what is begun too late.

        Raises:
            ApiError: FORBIDDEN or TIMEOUT.
        """
        self.begin()
        if not self.identity.may(scope):
            raise ApiError("FORBIDDEN", f"this API key lacks the scope {scope}")

    def need_key(self, scope: str) -> None:
        """Refuse everyone but a server whose key has the scope.

        Raises:
            ApiError: FORBIDDEN or TIMEOUT.
        """
        if self.identity.key is None:
            raise ApiError("FORBIDDEN", f"this needs an API key with the scope {scope}")
        self.need(scope)

    def begin(self) -> None:
        """Refuse to begin another field of an operation that has taken its time.

        Raises:
            ApiError: TIMEOUT.
        """
        most = reco_settings().QUERY_SECONDS
        if time.monotonic() - self.began > most:
            raise ApiError("TIMEOUT", f"the operation took more than {most:g} s; ask for less at once")

    def most_objects(self) -> int:
        """Objects that one operation of whoever asks may lead to."""
        reco = reco_settings()
        trusted = self.identity.key is not None or (self.identity.user is not None and works_as_staff(self.request))
        return reco.QUERY_OBJECTS_TRUSTED if trusted else reco.QUERY_OBJECTS

    def charge(self, objects: int) -> ApiError | None:
        """Take what an operation costs from its sender's points; the refusal, if they have too few."""
        if not self.metered:
            return None
        return self.spender.take(math.ceil(objects / OBJECTS_A_POINT))

    def left(self) -> dict[str, Any]:
        """What the sender may still spend, for the reply."""
        return self.spender.left() if self.metered else {}

    @cached_property
    def known(self) -> Known:
        """What the lists of this operation, or of this page, read of the shopper; once for all of them."""
        return Known(self.shopper)

    @cached_property
    def said(self) -> dict[int, list[str]]:
        """What this shopper says of products, by their primary keys; a query, once an operation."""
        return said_of_products(shopper_ids=self.known.people) if self.shopper is not None else {}

    @property
    def spender(self) -> Spender:
        return Spender.of(self.request, self.identity.key, self.shopper)


Info = strawberry.Info[Context, None]
