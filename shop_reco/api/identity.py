"""Who a request is for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from shop_reco.conf import reco_settings
from shop_reco.users import services
from shop_reco.users.models import ApiKey, Shopper
from shop_reco.users.selectors import account_of, key_of, shopper_by_external_id, shopper_by_public_id

SALT = "shop_reco.visitor"
SHOP_AS = "reco_shop_as"
YEAR = 365 * 86_400


class ForbiddenError(Exception):
    """The request claims what it may not."""


@dataclass
class Identity:
    """The shopper of a request, if known, and the server key that speaks for them, if any."""

    shopper: Shopper | None = None
    key: ApiKey | None = None
    new_visitor: Shopper | None = None
    forget: bool = field(default=False)

    def may(self, scope: str) -> bool:
        """Browsers speak for themselves; a key needs the scope."""
        return self.key is None or scope in self.key.scopes


def identity_of(request: HttpRequest) -> Identity:
    """Read key, session or visitor cookie, in this order.

    Raises:
        ForbiddenError: If a key is wrong, or a browser names a shopper.
    """
    named = request.headers.get("X-Shopper")
    authorization = request.headers.get("Authorization", "")
    if authorization:
        scheme, _, plain = authorization.partition(" ")
        key = key_of(plain=plain) if scheme.lower() == "bearer" else None
        if key is None:
            raise ForbiddenError("the API key is not known or was revoked")
        if named is None:
            return Identity(key=key)
        if not 1 <= len(named) <= 128 or "\x00" in named:
            raise ForbiddenError("X-Shopper must be 1 to 128 characters")
        return Identity(shopper=services.ensure_shopper(external_id=named), key=key)
    if named is not None:
        raise ForbiddenError("X-Shopper needs an API key")
    return Identity(shopper=_browser_shopper(request))


def _browser_shopper(request: HttpRequest) -> Shopper | None:
    if reco_settings().DEMO_SWITCHER and (name := request.session.get(SHOP_AS)):
        return shopper_by_external_id(external_id=name)
    user: Any = request.user
    if user.is_authenticated and (account := account_of(user_id=user.pk)):
        return account
    return visitor_of(request)


def visitor_of(request: HttpRequest) -> Shopper | None:
    """The anonymous visitor of the signed cookie."""
    cookie = request.COOKIES.get(reco_settings().VISITOR_COOKIE)
    if not cookie:
        return None
    try:
        public_id = uuid.UUID(signing.loads(cookie, salt=SALT, max_age=YEAR))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return shopper_by_public_id(public_id=public_id)


def remember(response: HttpResponse, identity: Identity) -> HttpResponse:
    """Give a new visitor their cookie, or take it from one who was erased."""
    name = reco_settings().VISITOR_COOKIE
    if identity.forget:
        response.delete_cookie(name)
    elif identity.new_visitor is not None:
        value = signing.dumps(identity.new_visitor.public_id.hex, salt=SALT)
        response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=not settings.DEBUG)
    return response


@receiver(user_logged_in)
def on_login(*, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A consenting visitor who signs in brings their history along."""
    visitor = visitor_of(request)
    if visitor is not None:
        services.link_visitor(visitor=visitor, account=services.ensure_account(user=user))
