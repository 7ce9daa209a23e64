"""What shoppers did, and what was refused and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, ReadOnlyAdmin, figures, link_to
from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

from . import services
from .flag_admin import ShopperFlagAdmin
from .health import health
from .models import DataImport, Event, RejectedEvent, ShopperFlag

REPORT = {
    "full": _("whole data set"),
    "lines": _("lines of orders"),
    "new": _("new events"),
    "dropped_by_cleaning": _("dropped by cleaning"),
    "read": _("rows read"),
    "duplicates": _("stored before"),
    "rejected": _("rejected"),
    "errors": _("file of the rejected rows"),
    "failed": _("ended early"),
    "resume": _("under way"),
}

FIELDS = {
    "price": _("a price"),
    "category": _("a category"),
    "brand": _("a brand"),
    "description": _("a description"),
}


class EventAdmin(EndlessAdmin):
    list_display = ("occurred_at", "type", "shopper_page", "product_page", "quantity", "price", "channel")
    list_filter = ("type", "channel", ("shopper", AutocompleteSelectFilter), ("product", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("shopper", "product")
    search_fields = ("=shopper__external_id", "=product__sku")
    search_help_text = _("The shop's id of a shopper, or the sku of a product")
    ordering = ("-occurred_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """By exact names, first looked up: joined to both tables, every event would be read to find a few."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Shopper.objects.filter(external_id=term).values_list("pk", flat=True)
        may_name = any("external_id" in path for path in self.get_search_fields(request))
        shoppers = list(named) if may_name else []
        products = [] if shoppers else list(Product.objects.filter(sku=term).values_list("pk", flat=True))
        if shoppers:
            return queryset.filter(shopper__in=shoppers), False
        return (queryset.filter(product__in=products) if products else queryset.none()), False

    @display(description=_("shopper"))
    def shopper_page(self, event: Event) -> SafeString | str:
        return link_to(self, event.shopper)

    @display(description=_("product"))
    def product_page(self, event: Event) -> SafeString | str:
        return link_to(self, event.product)


class RejectedEventAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "code", "message", "what", "shopper", "replayed_at")
    list_filter = ("code", ("replayed_at", admin.EmptyFieldListFilter))
    list_select_related = ("shopper",)
    search_fields = ("message",)
    ordering = ("-pk",)
    actions = ("replay",)
    list_before_template = "shop_reco/admin/rejected_before.html"

    def get_urls(self) -> list[URLPattern]:
        health = self.admin_site.admin_view(self.health)
        return [path("health/", health, name="reco_events_rejectedevent_health"), *super().get_urls()]

    def health(self, request: HttpRequest) -> HttpResponse:
        """Whether the data that comes in is any good."""
        if not self.has_view_permission(request) or not request.user.has_perm("reco_products.view_product"):
            raise PermissionDenied
        told = {"title": gettext("Health of the data"), "health": health(), "fields": FIELDS}
        context = {**self.admin_site.each_context(request), **told}
        return TemplateResponse(request, "shop_reco/admin/data_health.html", context)

    @display(description=_("event"))
    def what(self, rejected: RejectedEvent) -> SafeString:
        payload = rejected.payload if isinstance(rejected.payload, dict) else {}
        return format_html("{} {}", payload.get("type", ""), payload.get("sku") or payload.get("product") or "")

    @admin.action(description=_("Try again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[RejectedEvent]) -> None:
        outcomes = [services.replay_rejected(rejected=rejected) for rejected in queryset]
        stored = sum(not outcome.rejected for outcome in outcomes)
        text = gettext("%(stored)s of %(all)s are stored now.") % {"stored": stored, "all": len(outcomes)}
        messages.success(request, text) if stored else messages.warning(request, text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)


class DataImportAdmin(ReadOnlyAdmin):
    list_display = ("source", "shift_weeks", "started_at", "finished_at")
    fields = ("source", "shift_weeks", "started_at", "finished_at", "told")
    readonly_fields = ("told",)

    @display(description=_("report"))
    def told(self, data_import: DataImport) -> SafeString:
        return figures(data_import.report, names=REPORT)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Event: EventAdmin,
    RejectedEvent: RejectedEventAdmin,
    DataImport: DataImportAdmin,
    ShopperFlag: ShopperFlagAdmin,
}
