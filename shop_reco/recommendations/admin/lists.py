"""Where lists go, what merchandisers wish for, and the lists that were served."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import BaseAdmin, EndlessAdmin, figures
from shop_reco.products.models import Product

from .. import services
from ..models import Recommender, Rule, Slate


class ServingAdmin(BaseAdmin):
    """Rows that serving keeps in memory: each write tells every process, in the same transaction."""

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        services.bump_serving_revision()

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        services.bump_serving_revision()

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        services.bump_serving_revision()


class PlacementAdmin(ServingAdmin):
    fields = ("key", "title", "strategy")
    list_display = ("title", "key", "strategy")
    search_fields = ("key", "title")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The shop's pages name the key; a new one would be another placement."""
        return ("key",) if obj else ()


class RuleAdmin(ServingAdmin):
    list_display = ("what", "placement", "points", "rank", "active", "starts_at", "ends_at")
    list_filter = ("action", "active", "placement")
    list_select_related = ("placement", "product", "category", "brand")
    autocomplete_fields = ("placement", "product", "category", "brand")
    fieldsets = (
        (None, {"fields": ("action", "placement", "active")}),
        (_("For one of these"), {"fields": ("product", "category", "brand")}),
        (_("How"), {"fields": ("points", "rank")}),
        (_("When"), {"fields": ("starts_at", "ends_at")}),
    )

    @display(description=_("rule"))
    def what(self, rule: Rule) -> str:
        return f"{rule.get_action_display()}: {rule.product or rule.category or rule.brand}"


class SlateAdmin(EndlessAdmin):
    list_display = ("served_at", "placement", "rung_shown", "shopper", "length")
    list_filter = ("rung", "placement", ("shopper", admin.EmptyFieldListFilter))
    list_select_related = ("shopper",)
    search_fields = ("=shopper__external_id", "=id")
    ordering = ("-served_at",)
    fields = ("id", "served_at", "placement", "rung", "shopper", "told", "by_versions")
    readonly_fields = ("told", "by_versions")

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
        titles = dict(Product.objects.filter(pk__in=named).values_list("pk", "title"))
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
        return render_to_string("shop_reco/admin/slate.html", {"items": items})

    @display(description=_("model versions"))
    def by_versions(self, slate: Slate) -> SafeString:
        names = dict(Recommender.Kind.choices)
        return figures({kind: str(version)[:8] for kind, version in slate.versions.items()}, names=names)
