"""A second factor of staff: codes of an app that shows them (TOTP, RFC 6238) and recovery codes, kept by django-otp.

Off unless the shop asks for it. Who has to show one and did not yet is signed in, but is nobody of the staff: neither
to the admin nor to the API, whichever page of the host took the password.
"""

from __future__ import annotations

import secrets
import time
from base64 import b32encode
from binascii import unhexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import transaction
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from shop_reco.addresses import address_of
from shop_reco.conf import reco_settings

from .attempts import FREE, begin_attempt, digest_of, succeed
from .audit import note
from .errors import AlreadyEnrolledError, UnknownCodeError
from .models import StaffAction
from .sign_in import KNOWN, Page

if TYPE_CHECKING:
    from django_otp.models import Device

CODES = 10
"""Recovery codes of one person."""
DIGITS = 12
"""Digits of a recovery code: 40 bits, against attempts that are slowed down."""
SHORT = (6, 7, 8)
"""Digits of the codes of apps."""
MOST = 100
"""Wrong codes of an app in a row after which only browsers that are known may try: NIST SP 800-63B, 5.2.2."""
COOKIE = "reco_staff_second_factor"
"""Name of the signed cookie of a browser that showed a second factor."""
SALT = "shop_reco.staff_second_factor"
UNCONFIRMED = "reco_new_second_factor"
"""Key in a session of a secret that was shown and not confirmed, and when, in Unix seconds.

Another session never learns it, and each look at the page shows another: what was seen on this screen before does not
come to count.
"""
KEPT = "_reco_second_factor"
"""Where a request keeps what was found, and of whom."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A new secret that an app and the shop are about to share; nothing holds it until it was confirmed.

    Attributes:
        key: The secret, hexadecimal, 20 bytes.
        typed: The same for people to type, in groups.
        address: The ``otpauth:`` address that apps read.
        picture: The address as an SVG element.
    """

    key: str
    typed: str
    address: str
    picture: str


def is_installed() -> bool:
    return apps.is_installed("django_otp")


def works_as_staff(request: HttpRequest) -> bool:
    """Whether the request is of a member of the staff who showed all that is asked of them.

    No query where the second factor is off, one where it was shown, else one for each kind of device.
    """
    user: Any = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return False
    mode = reco_settings().STAFF_SECOND_FACTOR
    return mode == "off" or is_proven(request) or (mode == "offered" and not is_enrolled(user))


def is_proven(request: HttpRequest) -> bool:
    """Whether this session showed a second factor that its owner still has; a query, once for a request."""
    from django_otp import DEVICE_ID_SESSION_KEY
    from django_otp.models import Device

    told = request.session.get(DEVICE_ID_SESSION_KEY)
    if not isinstance(told, str):
        return False
    asked = (request.user.pk, told)
    if getattr(request, KEPT, (None, False))[0] != asked:
        device = Device.from_persistent_id(told)
        found = device is not None and device.confirmed and device.user_id == request.user.pk
        setattr(request, KEPT, (asked, found))
    return bool(getattr(request, KEPT)[1])


def is_enrolled(user: Any) -> bool:
    from django_otp import user_has_device

    return bool(user_has_device(user))


def codes_left(user: Any) -> int:
    from django_otp.plugins.otp_static.models import StaticToken

    return StaticToken.objects.filter(device__user=user, device__confirmed=True).count()


@sensitive_variables("code")
def prove(request: HttpRequest, *, code: str) -> None:
    """Take a code of the app, or a recovery code, which then is spent; the session gets a new key.

    Failures count for the account and the address as those of passwords do, apart from them; at recovery codes, which
    nobody can guess, for the address alone, so that they always let the owner in.

    Raises:
        UnknownCodeError: If it is none, was taken before, or comes too early after failures.
    """
    from django_otp import login

    user: Any = request.user
    plain = code.replace(" ", "").replace("-", "")
    short = plain.isascii() and plain.isdigit() and len(plain) in SHORT
    known, address = (known_browser(request) if short else ""), address_of(request)
    account = f"{user.get_username()}\0second factor" + ("" if short else f"\0{address}")  # no form takes such a name
    attempt = begin_attempt(account=account, address=address, browser=known)
    device = _device_that_takes(user, plain, short, bool(known)) if attempt is not None else None
    if attempt is None or device is None:
        if attempt is not None and attempt.failures >= FREE:
            failures = {"failures": [attempt.failures - 1, attempt.failures]}
            note(by=None, what=StaffAction.What.CODE_FAILED, row=user, changes=failures)
        raise UnknownCodeError
    succeed(attempt=attempt)
    request.session.cycle_key()
    login(request, device)


@sensitive_variables("plain")
@transaction.atomic
def _device_that_takes(user: Any, plain: str, short: bool, known: bool) -> Device | None:
    from django_otp import devices_for_user
    from django_otp.plugins.otp_static.models import StaticDevice
    from django_otp.plugins.otp_totp.models import TOTPDevice

    for device in devices_for_user(user, for_verify=True):
        if isinstance(device, StaticDevice if short else TOTPDevice):
            continue
        if short and not known and getattr(device, "throttling_failure_count", 0) >= MOST:
            continue
        if hasattr(device, "throttling_failure_timestamp"):
            device.throttling_failure_timestamp = None  # how long to wait is ours to say: an hour is too long
        if device.verify_token(plain):
            if not short:
                note(by=user, what=StaffAction.What.RECOVERY_CODE, row=user)
            return device
    return None


def known_browser(request: HttpRequest) -> str:
    """What tells this browser from others, if it showed the second factor that the account has now; else empty."""
    from django_otp import devices_for_user

    try:
        told = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KNOWN)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    if not isinstance(told, list) or len(told) != 2:
        return ""
    now = {digest_of("device", f"{device.user_id}/{device.persistent_id}") for device in devices_for_user(request.user)}
    return str(told[1]) if told[0] in now else ""


def remember_browser(request: HttpRequest, page: Page) -> Page:
    """Have a browser be known that just showed the second factor, until the account has another."""
    from django_otp import DEVICE_ID_SESSION_KEY

    device = digest_of("device", f"{request.user.pk}/{request.session[DEVICE_ID_SESSION_KEY]}")
    page.set_cookie(
        COOKIE, signing.dumps([device, secrets.token_hex(16)], salt=SALT), max_age=KNOWN, httponly=True,
        samesite="Strict", secure=not settings.DEBUG,
    )  # fmt: skip
    return page


@sensitive_variables()
def new_secret(*, account: str, issuer: str, key: str = "") -> Secret:
    """What an app needs to begin; ``key`` is that of a secret shown before."""
    import segno
    from django_otp.plugins.otp_totp.models import default_key

    key = key or default_key()
    base32 = b32encode(unhexlify(key)).decode()
    issuer = issuer.replace(":", " ")
    address = f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={base32}&issuer={quote(issuer)}"
    picture = segno.make(address, micro=False).svg_inline(scale=5, border=4, light="#fff")
    return Secret(key, " ".join(base32[at : at + 4] for at in range(0, len(base32), 4)), address, picture)


@sensitive_variables()
@transaction.atomic
def enrol(request: HttpRequest, *, key: str, code: str) -> list[str]:
    """Have codes of this secret count from now on, and no others; returns new recovery codes, told this once.

    Other sessions of the account have to show a code again.

    Raises:
        AlreadyEnrolledError: If the account has a second factor that this session did not show.
        UnknownCodeError: If the code is not of this secret now.
    """
    from django_otp import login
    from django_otp.oath import TOTP
    from django_otp.plugins.otp_totp.models import TOTPDevice

    user = _locked(request.user)
    if hasattr(request, KEPT):
        delattr(request, KEPT)  # what was found before the row was locked
    if is_enrolled(user) and not is_proven(request):
        raise AlreadyEnrolledError
    totp, plain = TOTP(unhexlify(key)), code.replace(" ", "")
    totp.time = time.time()
    if not (plain.isascii() and plain.isdigit() and len(plain) == totp.digits and totp.verify(int(plain), tolerance=1)):
        raise UnknownCodeError
    _forget(user, "otp_totp", "otp_static")
    device = TOTPDevice.objects.create(user=user, name="app", key=key, last_t=totp.t(), drift=totp.drift)
    told = _new_codes(user)
    note(by=request.user, what=StaffAction.What.ENROL, row=user)
    request.session.cycle_key()
    login(request, device)
    return told


@sensitive_variables()
@transaction.atomic
def renew_codes(request: HttpRequest) -> list[str]:
    """Recovery codes in place of those there were, told this once; who came in by one of them stays in."""
    from django_otp import DEVICE_ID_SESSION_KEY, login
    from django_otp.plugins.otp_static.models import StaticDevice

    user = _locked(request.user)
    codes = _new_codes(user)
    device = StaticDevice.objects.get(user=user)
    if str(request.session[DEVICE_ID_SESSION_KEY]).startswith(device.model_label()):
        login(request, device)
    note(by=request.user, what=StaffAction.What.NEW_CODES, row=user)
    return codes


@transaction.atomic
def remove_second_factor(*, user: Any, by: Any, why: str = "") -> bool:
    """Take the second factor from an account, whose sessions are proven no more; False where it had none."""
    if had := is_enrolled(_locked(user)):
        _forget(user)
        note(by=by, what=StaffAction.What.REMOVE_FACTOR, row=user, why=why)
    return had


def _locked(user: Any) -> Any:
    return get_user_model()._default_manager.select_for_update().get(pk=user.pk)


def _forget(user: Any, *labels: str) -> None:
    """Delete the account's devices, of these apps only if any are named."""
    from django_otp import devices_for_user

    for device in devices_for_user(user, confirmed=None):
        if not labels or device._meta.app_label in labels:
            device.delete()


@sensitive_variables()
def _new_codes(user: Any) -> list[str]:
    from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}" for _ in range(CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=each) for each in codes)
    return [" ".join(each[at : at + 4] for at in range(0, DIGITS, 4)) for each in codes]
