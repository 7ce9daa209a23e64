"""Asking for the password again before what matters most: a browser left open is not its owner."""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from shop_reco.addresses import address_of
from shop_reco.conf import reco_settings

from .attempts import begin_attempt, succeed
from .sign_in import known_browser

SESSION = "reco_password_at"
"""Key in a session of when its owner last proved who they are, in Unix seconds."""


def note_password(request: HttpRequest) -> None:
    request.session[SESSION] = time.time()


def password_is_recent(request: HttpRequest) -> bool:
    """Whether the last sign-in or password of this session is younger than STAFF_PASSWORD_MINUTES."""
    at = request.session.get(SESSION)
    return isinstance(at, float) and 0 <= time.time() - at < 60 * reco_settings().STAFF_PASSWORD_MINUTES


class ProofForm(forms.Form):
    """A reason, and the password where the last one is too old; failures count as those of a sign-in do."""

    why = forms.CharField(
        max_length=256,
        label=_("Why do you do this?"),
        help_text=_("It is kept with your name. Do not name the person here."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Your password"),
        help_text=_("Asked for again, since you gave it some time ago."),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self.request = request
        if password_is_recent(request):
            del self.fields["password"]

    def clean_password(self) -> str:
        request: Any = self.request
        name, password = request.user.get_username(), self.cleaned_data["password"]
        browser = known_browser(request, account=name)
        attempt = begin_attempt(account=name, address=address_of(request), browser=browser)
        proven = authenticate(request, username=name, password=password) if attempt is not None else None
        if attempt is None or proven is None or proven.pk != request.user.pk:
            raise forms.ValidationError(gettext("This is not your password, or it failed too often of late."))
        succeed(attempt=attempt)
        note_password(request)
        return ""
