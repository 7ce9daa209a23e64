"""What is asked before the heaviest things that staff do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from shop_reco.addresses import address_of

from .attempts import begin_attempt, succeed
from .reauthentication import note_password, password_is_recent
from .sign_in import known_browser


class PasswordForm(forms.Form):
    """The password, where the last one is too old; failures count as those of a sign-in do."""

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


class ProofForm(PasswordForm):
    """A reason beside it."""

    why = forms.CharField(
        max_length=256,
        label=_("Why do you do this?"),
        help_text=_("It is kept with your name. Do not name the person here."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    field_order = ("why", "password")
