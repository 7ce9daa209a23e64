"""The page on which staff set up a second factor, show it, and renew what belongs to it."""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.widgets import UnfoldAdminTextInputWidget

from shop_reco.conf import reco_settings

from .errors import AlreadyEnrolledError, UnknownCodeError
from .forms import PasswordForm
from .second_factor import (
    UNCONFIRMED,
    codes_left,
    enrol,
    is_enrolled,
    is_proven,
    new_secret,
    prove,
    remove_second_factor,
    renew_codes,
)
from .second_factor import remember_browser as remember_factor
from .sign_in import remember_browser

FRESH = 600.0
"""Seconds in which it may be confirmed."""
CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 32}
# Unfold hides its pages until Alpine has run, and a browser forgets "autofocus" on what it cannot see.
FOCUSED = {"x-init": "$nextTick(() => $el.focus())"}


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=32,
        label=_("Code"),
        help_text=_("Six digits that your app shows now, or one of your recovery codes."),
        widget=UnfoldAdminTextInputWidget(attrs=CODE | FOCUSED),
    )

    def refuse(self) -> None:
        text = gettext(
            "This code is not right, or was used before. After several failures further attempts are refused for a "
            "while, 15 minutes at most."
        )
        self.add_error("code", text)


class NewCodeForm(PasswordForm):
    code = forms.CharField(
        max_length=32,
        label=_("Code"),
        help_text=_("Six digits that your app shows now: they tell that it has the secret."),
        widget=UnfoldAdminTextInputWidget(attrs=CODE),
    )
    field_order = ("code", "password")


def second_factor_page(request: HttpRequest, *, site: Any) -> HttpResponse:
    """Whatever the account of whoever is signed in needs: to show a code, to set one up, or nothing more."""
    do, user = request.POST.get("do", ""), request.user
    if do == "leave":
        logout(request)
        return HttpResponseRedirect(site.page("login"))
    enrolled, proven = is_enrolled(user), is_proven(request)
    if enrolled and not proven:
        return _ask(request, site)
    if not enrolled or do == "confirm":
        return _set_up(request, site)
    if do in ("codes", "set_up") or (do == "remove" and not _is_needed()):
        return _renew(request, site, do)
    context = {"left": codes_left(user), "form": PasswordForm(request), "needed": _is_needed()}
    return _shown(request, site, "second_factor_kept", gettext("Your second factor"), context)


@sensitive_variables()
def _ask(request: HttpRequest, site: Any) -> HttpResponse:
    form = CodeForm(request.POST if request.POST.get("do") == "prove" else None)
    if form.is_valid():
        try:
            prove(request, code=form.cleaned_data["code"])
        except UnknownCodeError:
            form.refuse()
        else:
            return _known(request, HttpResponseRedirect(_next(request, site)))
    return _shown(request, site, "second_factor_ask", gettext("Show your second factor"), {"form": form})


@sensitive_variables()
def _set_up(request: HttpRequest, site: Any) -> HttpResponse:
    user: Any = request.user
    key, shown_at = request.session.pop(UNCONFIRMED, ("", 0.0))
    confirming = request.POST.get("do") == "confirm" and 0 <= time.time() - shown_at < FRESH
    secret = new_secret(account=user.get_username(), issuer=request.get_host(), key=key if confirming else "")
    request.session[UNCONFIRMED] = (secret.key, shown_at if confirming else time.time())
    form = NewCodeForm(request, request.POST if confirming else None)
    if form.is_valid():
        try:
            codes = enrol(request, key=secret.key, code=form.cleaned_data["code"])
        except AlreadyEnrolledError:
            return HttpResponseRedirect(request.get_full_path())
        except UnknownCodeError:
            text = gettext("This is not what the app shows for this secret now. Is the clock of your device right?")
            form.add_error("code", text)
        else:
            del request.session[UNCONFIRMED]
            return _known(request, _told(request, site, codes))
    context = {
        "form": form, "secret": secret, "picture": mark_safe(secret.picture),  # noqa: S308  drawn of an address of ours
        "needed": _is_needed(), "again": is_enrolled(user),
    }  # fmt: skip
    return _shown(request, site, "second_factor_set_up", gettext("Set up a second factor"), context)


@sensitive_variables()
def _renew(request: HttpRequest, site: Any, do: str) -> HttpResponse:
    form = PasswordForm(request, request.POST)
    if not form.is_valid():
        context = {"left": codes_left(request.user), "form": form, "needed": _is_needed()}
        return _shown(request, site, "second_factor_kept", gettext("Your second factor"), context)
    if do == "set_up":
        return _set_up(request, site)
    if do == "codes":
        return _told(request, site, renew_codes(request))
    remove_second_factor(user=request.user, by=request.user)
    messages.success(request, gettext("Your second factor is gone: your password alone lets you in."))
    return HttpResponseRedirect(site.page("index"))


@sensitive_variables()
def _told(request: HttpRequest, site: Any, codes: list[str]) -> HttpResponse:
    context = {"codes": codes, "next": _next(request, site)}
    return _shown(request, site, "second_factor_codes", gettext("Your recovery codes"), context)


def _known(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    return remember_factor(request, remember_browser(request, page))


def _is_needed() -> bool:
    return reco_settings().STAFF_SECOND_FACTOR != "offered"


def _next(request: HttpRequest, site: Any) -> str:
    """Where whoever came wanted to go, on this host; else the first page."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME, request.GET.get(REDIRECT_FIELD_NAME, ""))
    hosts, secure = {request.get_host()}, request.is_secure()
    return wanted if url_has_allowed_host_and_scheme(wanted, hosts, secure) else str(site.page("index"))


def _shown(request: HttpRequest, site: Any, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    here = {**site.each_context(request), "title": title, "here": request.get_full_path(), **context}
    return TemplateResponse(request, f"shop_reco/admin/{name}.html", here)
