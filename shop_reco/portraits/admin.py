"""What is believed of shoppers, as they see it themselves; staff read it and change nothing."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, link_to
from shop_reco.events.models import Event
from shop_reco.users.services import note_read

from .models import Portrait, PortraitEdit
from .reading import portrait_of

SHOWN = 12
"""Interests of each kind on a page."""


class PortraitAdmin(EndlessAdmin):
    list_display = ("shopper", "n_events", "drawn_at")
    search_fields = ("=shopper__external_id",)
    search_help_text = _("The shop's id of a shopper")
    list_select_related = ("shopper",)
    ordering = ("-drawn_at",)
    fields = ("shopper_page", "n_events", "drawn_at", "as_of_now")
    readonly_fields = ("shopper_page", "as_of_now")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """The page; that it was read is kept for the shopper to see."""
        page = super().change_view(request, object_id, *args, **kwargs)
        if request.method == "GET" and page.status_code == 200:
            why = request.GET.get("why", "")
            note_read(shopper_id=int(object_id), staff=request.user, what="portrait", why=why)
        return page

    @display(description=_("shopper"))
    def shopper_page(self, portrait: Portrait) -> SafeString | str:
        return link_to(self, portrait.shopper)

    @display(description=_("as of now"))
    def as_of_now(self, portrait: Portrait) -> SafeString:
        """The decayed portrait with the shopper's own edits; three queries."""
        view = portrait_of(shopper=portrait.shopper)
        interests = view.interests if view else []
        kinds = [
            {
                "name": str(label),
                "interests": [each for each in interests if each.kind == kind][:SHOWN],
                "most": max((each.weight for each in interests if each.kind == kind), default=0.0) or 1.0,
            }
            for kind, label in PortraitEdit.Kind.choices
        ]
        names = dict(Event.Channel.choices)
        channels = [str(names.get(channel, channel)) for channel in view.channels] if view else []
        content = {"portrait": view, "kinds": kinds, "channels": channels}
        return render_to_string("shop_reco/admin/portrait.html", content)


class PortraitEditAdmin(EndlessAdmin):
    list_display = ("shopper", "action", "kind", "key", "created_at")
    list_filter = ("action", "kind")
    search_fields = ("=shopper__external_id", "key")
    list_select_related = ("shopper",)
    ordering = ("-pk",)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {Portrait: PortraitAdmin, PortraitEdit: PortraitEditAdmin}
