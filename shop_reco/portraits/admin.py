"""What is believed of shoppers, as they see it themselves; staff read it and change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, link_to
from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.staff.pages import HIDDEN
from shop_reco.staff.sensitive import may_see_personal_data
from shop_reco.users.models import Shopper

from .access import ask_why, note_look
from .charts import portrait_charts
from .models import Portrait, PortraitEdit, Segmentation
from .reading import BEHIND_KINDS, InterestView, events_behind, portrait_of
from .segments import groups_of
from .selectors import live_segmentation

MAY_VIEW = {
    "products": "reco_products.view_product",
    "imports": "reco_events.view_dataimport",
    "schedule": "django_celery_beat.view_periodictask",
}
"""Where the page of segments leads to, and what that needs."""
SHOWN = 12
"""Interests of each kind on a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A number with its bar, in percent of the longest; ``kind`` and ``key`` lead to the events behind it."""

    name: str
    kind: str
    key: str
    told: str
    width: float
    state: str = ""


class PortraitAdmin(EndlessAdmin):
    """What staff see goes by what else they may see: who the shopper is needs the rights to view shoppers and personal
    data, and the events behind a number the right to view events."""

    list_display = ("shopper", "n_events", "drawn_at")
    search_fields = ("=shopper__external_id",)
    search_help_text = _("The shop's id of a shopper")
    list_select_related = ("shopper",)
    ordering = ("-drawn_at",)
    fields = ("shopper_page", "n_events", "drawn_at")
    readonly_fields = ("shopper_page",)
    change_form_outer_before_template = "shop_reco/admin/portrait.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page; that it was read, and why, is kept for the shopper to see."""
        portrait = self.get_object(request, unquote(object_id)) if self.has_view_permission(request) else None
        if portrait is not None and (question := self._asked(request, portrait)) is not None:
            return question
        told = self._as_of_now(portrait) if portrait is not None and request.method == "GET" else {}
        page = super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})
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

    def _as_of_now(self, portrait: Portrait) -> dict[str, Any]:
        """The decayed portrait with the shopper's own edits, as charts and bars; nine queries."""
        view = portrait_of(shopper=portrait.shopper)
        if view is None:
            return {}
        live = live_segmentation() if _may_view(portrait, Segmentation) else None
        return {
            "portrait": view,
            "charts": portrait_charts(
                interests=[(each.kind, each.name, each.above, each.weight) for each in view.interests],
                hours=view.hours,
                months=view.months,
                currency=reco_settings().CURRENCY,
            ),
            "counted": [
                (gettext("Events"), _counts("type", view.types, dict(Event.Type.choices))),
                (gettext("Channels"), _counts("channel", view.channel_counts, dict(Event.Channel.choices))),
            ],
            "kinds": [
                (label, _weights([each for each in view.interests if each.kind == kind][:SHOWN]))
                for kind, label in PortraitEdit.Kind.choices
            ],
            "groups": groups_of(live, with_trend=False).groups if live else [],
            "evidence": self.address("from", portrait.pk) if _may_view(portrait, Event) else "",
            "basics": _may_view(portrait, Shopper) and may_see_personal_data(_reader(portrait)),
        }

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
            "n": sum(found.counts.values()),
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


def _counts(kind: str, counts: Mapping[str, int], names: Mapping[str, Any]) -> list[Bar]:
    most = max(counts.values(), default=1)
    return [
        Bar(name=str(names.get(key, key)), kind=kind, key=key, told=str(n), width=round(100 * n / most, 1))
        for key, n in counts.items()
    ]


def _weights(interests: Sequence[InterestView]) -> list[Bar]:
    most = max((each.weight for each in interests), default=0.0) or 1.0
    return [
        Bar(
            name=each.key, kind=each.kind, key=each.key, told=number_format(each.weight, 2), state=each.state,
            width=round(100 * max(each.weight, 0.0) / most, 1),
        )
        for each in interests
    ]  # fmt: skip


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

    def get_urls(self) -> list[URLPattern]:
        segments = self.admin_site.admin_view(self.segments)
        return [path("now/", segments, name="reco_portraits_segmentation_now"), *super().get_urls()]

    def segments(self, request: HttpRequest) -> HttpResponse:
        """The groups in use: five queries beside the site's own, none of them over events or shoppers."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        live, least = live_segmentation(), reco_settings().SEGMENT_SHOPPERS
        told: dict[str, Any] = {
            "title": gettext("Segments"),
            "live": live,
            "least": least,
            "few": reco_settings().MIN_SUPPORT,
        }
        told |= {f"may_view_{name}": request.user.has_perm(label) for name, label in MAY_VIEW.items()}
        if live is not None:
            told["all"] = groups_of(live)
        return TemplateResponse(
            request, "shop_reco/admin/segments_page.html", {**self.admin_site.each_context(request), **told}
        )

    @display(description=_("groups"))
    def groups(self, segmentation: Segmentation) -> SafeString:
        """Each group's name, size, habits and what is typical of it; none of fewer shoppers than MIN_SUPPORT, and
        nothing that became sensitive since. Two queries."""
        reader = getattr(segmentation, "seen_by", None)
        told = {"all": groups_of(segmentation, with_trend=False), "few": reco_settings().MIN_SUPPORT}
        told["may_view_products"] = reader is not None and reader.has_perm(MAY_VIEW["products"])
        return render_to_string("shop_reco/admin/segments.html", told)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Portrait: PortraitAdmin,
    PortraitEdit: PortraitEditAdmin,
    Segmentation: SegmentationAdmin,
}
