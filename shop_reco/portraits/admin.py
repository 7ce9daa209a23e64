"""What is believed of shoppers, as they see it themselves; staff read it and change nothing."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, link_to
from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.products.selectors import sensitive_paths
from shop_reco.staff.pages import HIDDEN
from shop_reco.staff.sensitive import may_see_personal_data
from shop_reco.users.models import Shopper

from .access import ask_why, note_look
from .charts import portrait_charts
from .engine import silence_of
from .models import Portrait, PortraitEdit, Segmentation
from .reading import BEHIND_KINDS, events_behind, portrait_of
from .segmenting import named

SHOWN = 12
"""Interests of each kind on a page."""


class PortraitAdmin(EndlessAdmin):
    """What staff see goes by what else they may see: who the shopper is needs the rights to view shoppers and personal
    data, and the events behind a number the right to view events."""

    list_display = ("shopper", "n_events", "drawn_at")
    search_fields = ("=shopper__external_id",)
    search_help_text = _("The shop's id of a shopper")
    list_select_related = ("shopper",)
    ordering = ("-drawn_at",)
    fields = ("shopper_page", "n_events", "drawn_at", "as_of_now")
    readonly_fields = ("shopper_page", "as_of_now")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """The page; that it was read, and why, is kept for the shopper to see."""
        portrait = self.get_object(request, unquote(object_id)) if self.has_view_permission(request) else None
        if portrait is not None and (question := self._asked(request, portrait)) is not None:
            return question
        page = super().change_view(request, object_id, *args, **kwargs)
        if portrait is not None and page.status_code == 200:
            note_look(request, shopper=portrait.shopper, what="portrait")
        return page

    def _asked(self, request: HttpRequest, portrait: Portrait) -> HttpResponse | None:
        """The question why; None where that was answered."""
        context, back = self.admin_site.each_context(request), self.address("changelist")
        return ask_why(request, shopper_id=portrait.shopper_id, context=context, back=back)

    def get_urls(self) -> list[URLPattern]:
        behind = path(
            "<path:object_id>/from/", self.admin_site.admin_view(self.behind), name="reco_portraits_portrait_from"
        )
        return [behind, *super().get_urls()]

    @display(description=_("shopper"))
    def shopper_page(self, portrait: Portrait) -> SafeString | str:
        return link_to(self, portrait.shopper) if _may_view(portrait, Shopper) else "-"

    @display(description=_("as of now"))
    def as_of_now(self, portrait: Portrait) -> SafeString:
        """The decayed portrait with the shopper's own edits; six queries."""
        view = portrait_of(shopper=portrait.shopper)
        content: dict[str, Any] = {"portrait": view}
        if view is not None:
            types, channels = dict(Event.Type.choices), dict(Event.Channel.choices)
            content |= {
                "kinds": [_kind(label, [each for each in view.interests if each.kind == kind])
                          for kind, label in PortraitEdit.Kind.choices],
                "types": [(types.get(key, key), key, n) for key, n in view.types.items()],
                "channels": [(channels.get(key, key), key, n) for key, n in view.channel_counts.items()],
                "charts": portrait_charts(
                    interests=[(each.kind, each.name, each.above, each.weight) for each in view.interests],
                    hours=view.hours,
                    months=view.months,
                    currency=reco_settings().CURRENCY,
                ),
                "evidence": self.address("from", portrait.pk) if _may_view(portrait, Event) else "",
                "basics": _may_view(portrait, Shopper) and may_see_personal_data(_reader(portrait)),
            }  # fmt: skip
        return render_to_string("shop_reco/admin/portrait.html", content)

    def behind(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The events behind one number; that they were read, and why, is kept as for the page."""
        if not (self.has_view_permission(request) and request.user.has_perm("reco_events.view_event")):
            raise PermissionDenied
        portrait = self.get_object(request, object_id)
        kind, key = request.GET.get("kind", ""), request.GET.get("key", "").replace("\x00", "")[:512]
        if portrait is None or kind not in BEHIND_KINDS:
            raise Http404
        if (question := self._asked(request, portrait)) is not None:
            return question
        if request.method == "POST":
            raise PermissionDenied
        found = events_behind(shopper=portrait.shopper, kind=kind, key=key)
        names, may_read = dict(Event.Type.choices), may_see_personal_data(request.user)
        content = {
            "counts": [{"name": names.get(each, each), "n": n} for each, n in found.counts.items()],
            "events": [
                {
                    "when": each.occurred_at, "name": names[each.type], "product": each.product,
                    "query": each.query if may_read or not each.query else HIDDEN,
                    "quantity": each.quantity, "amount": each.amount,
                }
                for each in found.events
            ],
            "foldedDays": found.folded_days,
        }  # fmt: skip
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Where this comes from"),
            "name": key,
            "evidence": content,
            "portrait": portrait,
            "back": self.address("change", portrait.pk),
        }
        note_look(request, shopper=portrait.shopper, what="evidence")
        return TemplateResponse(request, "shop_reco/admin/portrait_evidence.html", context)


def _may_view(portrait: Portrait, model: type[Model]) -> bool:
    """Whether whoever opened the page of this portrait may also see rows of ``model``."""
    options = model._meta
    reader = _reader(portrait)
    return reader is not None and reader.has_perm(f"{options.app_label}.view_{options.model_name}")


def _reader(portrait: Portrait) -> Any:
    return getattr(portrait, "seen_by", None)


def _kind(label: Any, interests: list[Any]) -> dict[str, Any]:
    shown = interests[:SHOWN]
    return {"name": str(label), "interests": shown, "most": max((each.weight for each in shown), default=0.0) or 1.0}


class PortraitEditAdmin(EndlessAdmin):
    list_display = ("shopper", "action", "kind", "key", "created_at")
    list_filter = ("action", "kind")
    search_fields = ("=shopper__external_id", "key")
    list_select_related = ("shopper",)
    ordering = ("-pk",)


class SegmentationAdmin(EndlessAdmin):
    list_display = ("fitted_at", "n_shoppers", "live")
    ordering = ("-pk",)
    fields = ("fitted_at", "n_shoppers", "live", "groups")
    readonly_fields = ("groups",)

    @display(description=_("groups"))
    def groups(self, segmentation: Segmentation) -> SafeString:
        """Each group's name, size and typical categories; none of fewer shoppers than MIN_SUPPORT, and no
        category that became sensitive since. One query."""
        content, silence = segmentation.content, silence_of(sensitive_paths())
        least = reco_settings().MIN_SUPPORT
        rows = [
            {
                "name": named(parts),
                "n": size,
                "share": round(100 * size / segmentation.n_shoppers),
                "tastes": [(path, n) for path, n in tastes if n >= least and not silence.covers(path)],
            }
            for parts, size, tastes in zip(content["names"], content["sizes"], content["tastes"], strict=True)
            if size >= least
        ]
        return render_to_string("shop_reco/admin/segments.html", {"rows": rows, "silhouette": content["silhouette"]})


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Portrait: PortraitAdmin,
    PortraitEdit: PortraitEditAdmin,
    Segmentation: SegmentationAdmin,
}
