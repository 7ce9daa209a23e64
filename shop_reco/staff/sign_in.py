"""Signing in to the admin: whatever form asks for name and password, too many failures slow it down."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from shop_reco.addresses import address_of

from .attempts import FREE, Attempt, begin_attempt, digest_of, succeed
from .audit import note
from .models import StaffAction

COOKIE = "reco_staff_browser"
"""Name of the signed cookie of a browser that signed in to the admin."""
SALT = "shop_reco.staff_browser"
Page = TypeVar("Page", bound=HttpResponseBase)
KNOWN = dt.timedelta(days=180)
"""How long a browser stays known after signing in."""


REFUSED = _(
    "Please enter the correct username and password of a staff account. After several failures further attempts are "
    "refused for a while, 15 minutes at most."
)


class Guard:
    """Comes before the form's own class; one message for a wrong name, a wrong password and an attempt too early."""

    error_messages = {"invalid_login": REFUSED, "inactive": REFUSED}

    def clean(self) -> Any:
        form: Any = self
        name, password = form.cleaned_data.get("username"), form.cleaned_data.get("password")
        if not name or not password:
            return super().clean()  # type: ignore[misc]
        browser = known_browser(form.request, account=name)
        attempt = begin_attempt(account=name, address=address_of(form.request), browser=browser)
        if attempt is None:
            raise form.get_invalid_login_error()
        try:
            given = super().clean()  # type: ignore[misc]
        except ValidationError:
            _tell(attempt, name)
            raise
        succeed(attempt=attempt)
        return given


def guarded(form: Any) -> Any:
    """The same form, slowed down by failures."""
    return type(form.__name__, (Guard, form), {})


def _tell(attempt: Attempt, name: str) -> None:
    """Keep that somebody keeps failing; what was typed is not kept, since it may be a password."""
    if attempt.failures >= FREE:
        account = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: name}).first()
        failures = {"failures": [attempt.failures - 1, attempt.failures]}
        note(by=None, what=StaffAction.What.SIGN_IN_FAILED, row=account, changes=failures)


def known_browser(request: HttpRequest, *, account: str) -> str:
    """What tells this browser from others, if it signed in to the account with its password of today; else empty.

    A query where the browser has a cookie of that account.
    """
    try:
        told = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KNOWN)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    if not isinstance(told, list) or len(told) != 3 or told[0] != digest_of("account", account):
        return ""
    user = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: account}).first()
    return str(told[2]) if user is not None and told[1] == digest_of("password", user.password) else ""


def remember_browser(request: HttpRequest, page: Page) -> Page:
    """Have a browser that just signed in be known; the cookie names nobody."""
    if request.user.is_authenticated:
        user: Any = request.user
        told = [digest_of("account", user.get_username()), digest_of("password", user.password), secrets.token_hex(16)]
        page.set_cookie(
            COOKIE, signing.dumps(told, salt=SALT), max_age=KNOWN, httponly=True, samesite="Strict",
            secure=not settings.DEBUG,
        )  # fmt: skip
    return page
