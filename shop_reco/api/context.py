from __future__ import annotations

from dataclasses import dataclass

import strawberry
from django.http import HttpRequest

from shop_reco.users.models import Shopper

from .errors import ApiError
from .identity import Identity


@dataclass
class Context:
    """What every resolver may ask of the request."""

    request: HttpRequest
    identity: Identity

    @property
    def shopper(self) -> Shopper | None:
        return self.identity.shopper

    def need(self, scope: str) -> None:
        """Refuse a server key without the scope.

        Raises:
            ApiError: FORBIDDEN.
        """
        if not self.identity.may(scope):
            raise ApiError("FORBIDDEN", f"this API key lacks the scope {scope}")

    def need_key(self, scope: str) -> None:
        """Refuse everyone but a server whose key has the scope.

        Raises:
            ApiError: FORBIDDEN.
        """
        if self.identity.key is None:
            raise ApiError("FORBIDDEN", f"this needs an API key with the scope {scope}")
        self.need(scope)


Info = strawberry.Info[Context, None]
