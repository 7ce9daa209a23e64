"""Who a request is for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.db import DatabaseError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from shop_reco.conf import reco_settings
from shop_reco.users import services, visitors
from shop_reco.users.key_uses import uses
from shop_reco.users.models import ApiKey, Consent, Shopper, VisitorToken
from shop_reco.users.selectors import (
    account_of,
    allows,
    consenting_to_any,
    digest_of,
    key_of,
    shopper_by_external_id,
    token_of,
)

logger = structlog.get_logger(__name__)
SALT = "shop_reco.visitor"
SHOP_AS = "reco_shop_as"


class ForbiddenError(Exception):
    """The request claims what it may not."""


@dataclass
class Identity:
    """The shopper of a request, if known, and the server key that speaks for them, if any.

    Attributes:
        token: What the visitor's cookie stands for, where it decided.
        user: The signed-in user, who may have no shopper yet.
        stale_cookie: A signed-in browser sent a visitor's cookie that names nobody.
    """

    shopper: Shopper | None = None
    key: ApiKey | None = None
    token: VisitorToken | None = None
    user: Any | None = None
    new_visitor: Shopper | None = None
    stale_cookie: bool = False
    forget: bool = field(default=False)

    def may(self, scope: str) -> bool:
        """Browsers speak for themselves; a key needs the scope."""
        return self.key is None or scope in self.key.scopes

    def mark(self) -> str:
        """What tells this shopper from the next one in the same browser; empty while nothing may be kept. One query."""
        if self.shopper is None or not consenting_to_any(among={self.shopper.pk}):
            return ""
        return digest_of(f"mark:{self.shopper.public_id.hex}")[:16]

    def become_known(self) -> Shopper:
        """The shopper, made now if need be: the account of whoever is signed in, else a visitor with a new cookie."""
        if self.shopper is None and self.user is not None:
            self.shopper = services.ensure_account(user=self.user)
        elif self.shopper is None:
            self.shopper = self.new_visitor = services.create_visitor()
        return self.shopper


def key_in(request: HttpRequest) -> ApiKey | None:
    """The key that the request shows, by its headers alone; None where it shows none, else one query.

    Raises:
        ForbiddenError: If the key is wrong.
    """
    authorization = request.headers.get("Authorization", "")
    if not authorization:
        return None
    scheme, _, plain = authorization.partition(" ")
    key = key_of(plain=plain) if scheme.lower() == "bearer" else None
    if key is None:
        raise ForbiddenError("the API key is not known or was revoked")
    _kept_up(key, plain)
    return key


def identity_of(request: HttpRequest, *, key: ApiKey | None = None) -> Identity:
    """Read key, session or visitor cookie, in this order; ``key`` is the one that was read already.

    Raises:
        ForbiddenError: If a key is wrong, or a browser names a shopper.
    """
    named = request.headers.get("X-Shopper")
    key = key or key_in(request)
    if key is not None:
        if named is None:
            return Identity(key=key)
        if not 1 <= len(named) <= 128 or "\x00" in named:
            raise ForbiddenError("X-Shopper must be 1 to 128 characters")
        return Identity(shopper=services.ensure_shopper(external_id=named), key=key)
    if named is not None:
        raise ForbiddenError("X-Shopper needs an API key")
    return browser_identity(request)


def browser_identity(request: HttpRequest) -> Identity:
    """Read session or visitor cookie, in this order; who is signed in is never the visitor of the cookie."""
    if reco_settings().DEMO_SWITCHER and (name := request.session.get(SHOP_AS)):
        return Identity(shopper=shopper_by_external_id(external_id=name))
    user: Any = request.user
    if user.is_authenticated:
        stale = reco_settings().VISITOR_COOKIE in request.COOKIES and visitor_token(request) is None
        return Identity(shopper=account_of(user_id=user.pk), user=user, stale_cookie=stale)
    token = visitor_token(request)
    return Identity(shopper=token.shopper if token else None, token=token)


def visitor_token(request: HttpRequest) -> VisitorToken | None:
    """What the signed cookie stands for; None if it is forged, too old, replaced or of a visitor who signed in."""
    reco = reco_settings()
    cookie = request.COOKIES.get(reco.VISITOR_COOKIE)
    if not cookie:
        return None
    try:
        secret = signing.loads(cookie, salt=SALT, max_age=dt.timedelta(days=reco.VISITOR_DAYS))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return token_of(secret=secret) if isinstance(secret, str) else None


def remember(response: HttpResponse, identity: Identity) -> HttpResponse:
    """Give a new visitor their cookie, replace an old one, or take it from one who was erased or signed in."""
    reco = reco_settings()
    secret: str | None = None
    if identity.forget or identity.stale_cookie:
        response.delete_cookie(reco.VISITOR_COOKIE)
    elif identity.new_visitor is not None:
        secret = visitors.issue_token(shopper=identity.new_visitor)
    elif identity.token is not None:
        secret = _followed(identity.token)
    if secret is not None:
        response.set_cookie(
            reco.VISITOR_COOKIE,
            signing.dumps(secret, salt=SALT),
            max_age=dt.timedelta(days=reco.VISITOR_DAYS),
            httponly=True,
            samesite="Lax",
            secure=not settings.DEBUG,
        )
    return response


def _kept_up(key: ApiKey, plain: str) -> None:
    """Note the use of a key, and its digest by today's secret; a database that cannot write now leaves both."""
    uses.note(key)
    try:
        services.renew_digest(key=key, plain=plain)
    except DatabaseError as error:
        logger.warning("key_digest_not_renewed", error=type(error).__name__)


def _followed(token: VisitorToken) -> str | None:
    """The secret that follows an old one; a database that cannot write now leaves it for another time."""
    try:
        if token.seen_at is None:
            visitors.confirm_token(token=token)
        return visitors.renew_token(token=token) if visitors.is_old(token) else None
    except DatabaseError as error:
        logger.warning("visitor_token_not_renewed", error=type(error).__name__)
        return None


@receiver(user_logged_in)
def on_login(*, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A consenting visitor who signs in brings their history along, and their cookie ends."""
    token = visitor_token(request)
    if token is not None and allows(shopper=token.shopper, purpose=Consent.Purpose.PERSONALISATION):
        services.link_visitor(visitor=token.shopper, account=services.ensure_account(user=user))
