"""Where lists go, what merchandisers wish for, and the lists that were served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shop_reco.admin_base import AddressedAdmin, BaseAdmin, EndlessAdmin, figures
from shop_reco.products.models import Product
from shop_reco.users.selectors import shopper_by_external_id

from ..models import Placement, Recommender, Rule, Slate
from ..selectors import placement_titles, placements
from .explorer import MOST, again, explorer
from .narrowed import narrowed
from .preview import conflicts, effects_of

RANGES = {"diversity": 1.0, "diversity_cost": 1.0, "least_chance": 1.0, "exploration": 0.5}
"""Shares that a placement may set, from 0 up."""
OF_HISTORY = (Slate.ReasonKind.HISTORY_ITEM, Slate.ReasonKind.FEATURE, Slate.ReasonKind.REPEAT)
"""Reasons whose evidence the shopper did something with."""


class PlacementForm(forms.ModelForm):  # type: ignore[type-arg]
    switched_off = forms.MultipleChoiceField(
        label=capfirst(_("switched off here")),
        help_text=_("Recommenders that take no part in these lists; with all of them off the newest are shown."),
        choices=[(kind, label) for kind, label in Recommender.Kind.choices if kind != Recommender.Kind.HYBRID],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in RANGES.keys() & self.fields.keys():
            self.fields[name].validators += [MinValueValidator(0.0), MaxValueValidator(RANGES[name])]
            self.fields[name].widget.attrs |= {"min": 0, "max": RANGES[name], "step": "any"}


class PlacementAdmin(BaseAdmin):
    form = PlacementForm
    list_display = ("title", "key", "strategy", "off", "exploration")
    help_texts = {
        "key": _("The name by which the shop's pages ask for the list, as in home or basket; it is never changed."),
        "title": _("What staff call the place here; shoppers do not read it."),
        "strategy": _("What kind of list goes there; each other setting fits within it."),
        "repeats": _("Whether a product that the shopper bought may be in the list. Buy again is not bound by it."),
        "fallback": _("What is shown to whoever has no history yet or wants no personal lists."),
    }
    search_fields = ("key", "title")
    fieldsets = (
        (None, {"fields": ("key", "title", "strategy")}),
        (_("Recommenders"), {"fields": ("switched_off",)}),
        (_("The list"), {"fields": ("size", "reasons", "repeats", "repeat_days", "fallback")}),
        (
            _("More of a difference"),
            {
                "fields": ("diversity", "diversity_cost"),
                "description": _("Products of other categories and brands rise, for a share of the score at most."),
            },
        ),
        (
            _("Less of what is uncertain, or more"),
            {
                "fields": ("least_chance", "exploration"),
                "description": _(
                    "A least chance leaves out what shoppers seldom take, once a training of the hybrid has learnt it. "
                    "Exploration gives places to products further down, to find out: it costs some clicks today."
                ),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The shop's pages name the key; a new one would be another placement."""
        return ("key",) if obj else ()

    @display(description=_("switched off here"))
    def off(self, spot: Placement) -> str:
        names = dict(Recommender.Kind.choices)
        return ", ".join(str(names.get(kind, kind)) for kind in spot.switched_off) or "-"


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        low, high = given.get("price_min"), given.get("price_max")
        if low is not None and high is not None and low > high:
            self.add_error("price_max", _("The higher price must not be below the lower one."))
        return given


class RuleAdmin(AddressedAdmin):
    form = RuleForm
    list_display = ("what", "placement", "points", "rank", "active", "starts_at", "ends_at")
    help_texts = {
        "action": _("Boost moves by points, hide leaves out, pin gives a rank, and the last leaves a reason untold."),
        "placement": _("Where it holds. Empty: in every list."),
        "active": _("Whether it holds; one that is not waits here and changes nothing."),
        "product": _("The one product that it is for. Empty: name something else below."),
        "category": _("All products of it and of what lies below it. Empty: it goes by no category."),
        "brand": _("All products of it. Empty: it goes by no brand."),
        "tag": _("All products that have it among their tags. Empty: it goes by no tag."),
        "price_min": _("The lowest price of one piece that it is for. Empty: no lower bound."),
        "price_max": _("The highest price of one piece that it is for. Empty: no upper bound."),
        "starts_at": _("From when on it holds. Empty: at once."),
        "ends_at": _("Until when it holds. Empty: until it is switched off."),
    }
    list_filter = ("action", "active", "placement")
    list_select_related = ("placement", "product", "category", "brand")
    autocomplete_fields = ("placement", "product", "category", "brand")
    fieldsets = (
        (None, {"fields": ("action", "placement", "active")}),
        (
            _("For one of these"),
            {
                "fields": ("product", "category", "brand", "tag", ("price_min", "price_max")),
                "description": _(
                    "A category takes all below it along. Tags are those that the catalogue lists under "
                    '"tags" among the attributes of a product, in capitals or not. One bound of a price is enough.'
                ),
            },
        ),
        (_("How"), {"fields": ("points", "rank", "reason")}),
        (_("When"), {"fields": ("starts_at", "ends_at")}),
    )
    change_form_after_template = "shop_reco/admin/rule_preview_button.html"

    class Media:
        js = ("shop_reco/admin.js",)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview)
        return [
            path("preview/", preview, name="reco_recommendations_rule_preview"),
            path("<int:pk>/preview/", preview, name="reco_recommendations_rule_preview_of"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        address = self.address("preview_of", object_id) if object_id else self.address("preview")
        return super().changeform_view(request, object_id, form_url, {"preview": address, **(extra_context or {})})

    def preview(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """What the rule in the form would do to real lists; nothing is saved."""
        rule = self.get_object(request, str(pk)) if pk is not None else None
        may = self.has_add_permission(request) if pk is None else self.has_change_permission(request, rule)
        if request.method != "POST" or not may:
            raise PermissionDenied
        if pk is not None and rule is None:
            raise Http404
        form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
        told: dict[str, Any] = {"form": form, "title": gettext("What the rule would do")}
        if form.is_valid():
            draft = form.save(commit=False)
            told |= {"effects": effects_of(draft, spots=placements()), "conflicts": conflicts(draft)}
        if request.headers.get("X-Requested-With") == "fetch":
            return TemplateResponse(request, "shop_reco/admin/rule_effects.html", told)
        context = {**self.admin_site.each_context(request), **told}
        return TemplateResponse(request, "shop_reco/admin/rule_preview.html", context)

    @display(description=_("rule"))
    def what(self, rule: Rule) -> str:
        return str(rule)


def _basis(slate: Slate) -> list[int]:
    """What a list is about, or what of the history it told, that with the most points last."""
    if about := slate.context.get("products"):
        return list(about)
    points: dict[int, float] = defaultdict(float)
    for item in slate.items:
        for reason in item["reasons"]:
            for pk in reason["evidence"] if reason["kind"] in OF_HISTORY else ():
                points[pk] += reason["points"]
    return sorted(points, key=lambda pk: points[pk])[-MOST:]


class PlacementFilter(admin.SimpleListFilter):
    """The placements that there are; which ones the lists name is not asked, since they are many."""

    title = _("placement")
    parameter_name = "placement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*placement_titles().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Slate]) -> QuerySet[Slate]:
        return queryset.filter(placement=self.value()) if self.value() else queryset


class SlateAdmin(EndlessAdmin):
    list_display = ("served_at", "placement", "rung_shown", "shopper", "length")
    list_filter = ("rung", PlacementFilter, "control", ("shopper", admin.EmptyFieldListFilter))
    list_select_related = ("shopper",)
    search_fields = ("=shopper__external_id", "=id")
    ordering = ("-served_at",)
    list_before_template = "shop_reco/admin/slates_before.html"
    fields = ("id", "served_at", "placement", "rung", "control", "shopper", "told", "by_versions")
    readonly_fields = ("told", "by_versions")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Charts elsewhere lead to a part of the table, which then says of what."""
        changes = super().get_changelist_instance(request)
        changes.narrowed = narrowed(changes)
        return changes

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Slate], search_term: str
    ) -> tuple[QuerySet[Slate], bool]:
        """By the exact name of a shopper or a list, first looked up, so that an index leads to them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=UUID(term)), False
        except ValueError:
            may_name = any("external_id" in path for path in self.get_search_fields(request))
            shopper = shopper_by_external_id(external_id=term) if may_name else None
            return (queryset.filter(shopper=shopper) if shopper else queryset.none()), False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        why = path("why/", view(self.why), name="reco_recommendations_slate_why")
        again = path("<uuid:pk>/again/", view(self.again), name="reco_recommendations_slate_again")
        return [why, again, *super().get_urls()]

    def again(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """A past list computed again, beside what its items would score today."""
        slate = self.get_object(request, str(pk))
        if not self.has_view_permission(request, slate):
            raise PermissionDenied
        if slate is None:
            raise Http404
        told = {"title": gettext("Then and today"), "back": self.address("change", slate.pk), **again(slate)}
        context = {**self.admin_site.each_context(request), **told}
        return TemplateResponse(request, "shop_reco/admin/slate_again.html", context)

    def why(self, request: HttpRequest) -> HttpResponse:
        """Why a list is as it is, and what it would be if something were otherwise."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return explorer(request, self.admin_site.each_context(request), address=self.address("why"))

    @display(
        description=_("rung"),
        label={"PERSONAL": "success", "LAST_GOOD": "warning", "POPULAR": "info", "NEWEST": "danger"},
        ordering="rung",
    )
    def rung_shown(self, slate: Slate) -> tuple[str, str]:
        return slate.rung, slate.get_rung_display()

    @display(description=_("items"))
    def length(self, slate: Slate) -> int:
        return len(slate.items)

    @display(description=_("items"))
    def told(self, slate: Slate) -> SafeString:
        """The list as it was served, each item with the reasons that make its score; one query."""
        named = {item["product"] for item in slate.items}
        named |= {pk for item in slate.items for reason in item["reasons"] for pk in reason["evidence"]}
        rows = Product.objects.filter(pk__in=named | set(slate.context.get("products", ()))).only("pk", "title", "sku")
        products = {row.pk: row for row in rows}
        titles = {pk: row.title for pk, row in products.items()}
        kinds = dict(Slate.ReasonKind.choices)
        items = [
            {
                "rank": rank,
                "title": titles.get(item["product"], "-"),
                "score": item["score"],
                "placed_by": item["placed_by"],
                "reasons": [
                    {
                        "kind": kinds.get(reason["kind"], reason["kind"]),
                        "points": reason["points"],
                        "evidence": [titles[pk] for pk in reason["evidence"] if pk in titles],
                    }
                    for reason in item["reasons"]
                ],
            }
            for rank, item in enumerate(slate.items, start=len(slate.earlier) + 1)
        ]
        told = {"items": items, "again": self.address("again", slate.pk), "why": self._why_of(slate, products)}
        return render_to_string("shop_reco/admin/slate.html", told)

    def _why_of(self, slate: Any, products: Mapping[int, Product]) -> str:
        """The explorer, asked about this list: by its shopper, or by what it told as their doing."""
        asked: dict[str, Any] = {"placement": slate.placement, "first": min(len(slate.items), MOST) or ""}
        reader = getattr(slate, "seen_by", None)
        if slate.shopper is not None and reader is not None and reader.has_perm("reco_portraits.view_portrait"):
            asked["shopper"] = slate.shopper.public_id
        else:
            asked["skus"] = ",".join(products[pk].sku for pk in _basis(slate) if pk in products)
        return f"{self.address('why')}?{urlencode({name: value for name, value in asked.items() if value})}"

    @display(description=_("model versions"))
    def by_versions(self, slate: Slate) -> SafeString:
        names = dict(Recommender.Kind.choices)
        return figures({kind: str(version)[:8] for kind, version in slate.versions.items()}, names=names)
