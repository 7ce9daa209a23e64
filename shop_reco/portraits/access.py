"""Why staff look at what is known of one shopper: asked once in a while, and told the shopper with every look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from shop_reco.users.models import Shopper, StaffRead
from shop_reco.users.services import note_read

SESSION = "reco_read_reasons"
"""Key of the reasons in a session: by shopper, the text until the first look, and from then on the look's number.

The look's row alone keeps the text: it goes with the shopper, and a session would not.
"""
KEPT = dt.timedelta(hours=1)
"""How long a reason counts from the first look on, for this shopper in this session."""
REMEMBERED = 50
"""Shoppers of whom a session holds a reason, the last ones."""


class ReasonForm(forms.Form):
    why = forms.CharField(
        max_length=256,
        label=_("Why do you look at this?"),
        help_text=_("It is kept with your name, and the shopper finds both in their export."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


def ask_why(request: HttpRequest, *, shopper_id: int, context: Mapping[str, Any], back: str) -> HttpResponse | None:
    """The question why, on its way back to the page that was asked for; None where that was answered.

    Args:
        context: Of every page of the site.
        back: Where whoever does not answer goes.
    """
    answer = ReasonForm(request.POST) if request.method == "POST" and "why" in request.POST else None
    if answer is not None and answer.is_valid():
        give_reason(request, shopper_id=shopper_id, why=answer.cleaned_data["why"])
        return HttpResponseRedirect(request.get_full_path())
    if answer is None and (request.method == "POST" or reason_given(request, shopper_id=shopper_id)):
        return None
    asked = {"title": gettext("Reason"), "form": answer or ReasonForm(), "here": request.get_full_path(), "back": back}
    return TemplateResponse(request, "shop_reco/admin/read_reason.html", {**context, **asked})


def give_reason(request: HttpRequest, *, shopper_id: int, why: str) -> None:
    """Have a reason count for this shopper's pages, in this session."""
    held = {name: value for name, value in _held(request).items() if name != str(shopper_id)}
    request.session[SESSION] = dict([*held.items(), (str(shopper_id), why)][-REMEMBERED:])


def reason_given(request: HttpRequest, *, shopper_id: int) -> str:
    """The reason in force; empty where there is none. One query at most."""
    held = _held(request).get(str(shopper_id), "")
    if isinstance(held, str):
        return held
    recent = StaffRead.objects.filter(read_at__gt=timezone.now() - KEPT, shopper=shopper_id, staff=request.user.pk)
    return recent.filter(pk=held).values_list("why", flat=True).first() or ""


def note_look(request: HttpRequest, *, shopper: Shopper, what: str) -> None:
    """Keep that the page was shown, with the reason in force."""
    why = reason_given(request, shopper_id=shopper.pk)
    read = note_read(shopper_id=shopper.pk, staff=request.user, what=what, why=why)
    held = _held(request)
    if isinstance(held.get(str(shopper.pk)), str):
        request.session[SESSION] = {**held, str(shopper.pk): read.pk}


def _held(request: HttpRequest) -> dict[str, Any]:
    held = request.session.get(SESSION)
    return held if isinstance(held, dict) else {}
