"""The catalogue as staff see and mend it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from shop_reco.admin_base import BaseAdmin, KeptAdmin, ReadOnlyAdmin
from shop_reco.conf import reco_settings

from . import services
from .models import Brand, Category, Product


class CategoryAdmin(KeptAdmin):
    """The tree comes with the products' import; staff say which parts of it are sensitive."""

    list_display = ("path", "slug", "sensitive")
    search_fields = ("path",)
    list_filter = ("sensitive",)
    list_select_related = ("parent",)
    ordering = ("path",)
    readonly_fields = ("name", "parent", "path", "slug")
    actions = ("mark_sensitive", "mark_ordinary")

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        if "sensitive" in form.changed_data:
            services.set_sensitive(categories=[obj], sensitive=obj.sensitive)

    @admin.action(description=_("Mark as sensitive, with all below"), permissions=["change"])
    def mark_sensitive(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        self._told(request, services.set_sensitive(categories=list(queryset), sensitive=True))

    @admin.action(description=_("Mark as not sensitive, with all below"), permissions=["change"])
    def mark_ordinary(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        self._told(request, services.set_sensitive(categories=list(queryset), sensitive=False))

    def _told(self, request: HttpRequest, n: int) -> None:
        messages.success(request, ngettext("%(n)s category changed.", "%(n)s categories changed.", n) % {"n": n})


class BrandAdmin(ReadOnlyAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)


class ProductAdmin(BaseAdmin):
    list_display = ("title", "sku", "category", "brand", "money", "stock", "shown")
    search_fields = ("title", "sku")
    list_filter = (
        "visible",
        ("deleted_at", admin.EmptyFieldListFilter),
        ("category", AutocompleteSelectFilter),
        ("brand", AutocompleteSelectFilter),
        *((field, admin.EmptyFieldListFilter) for field in ("price", "category", "brand", "description")),
    )
    list_filter_submit = True
    list_select_related = ("category", "brand")
    list_per_page = 50
    autocomplete_fields = ("category", "brand", "parent")
    readonly_fields = ("public_id", "created_at", "updated_at", "deleted_at", "languages")
    help_texts = {
        "title": _("As shoppers read it in lists; its words are found by the search and weigh in who may like it."),
        "sku": _("The shop's own number of it, by which events and imports name it; no two products have the same."),
        "description": _("What it is, in words that are compared with other products'. Empty: its title alone is."),
        "category": _("Where it stands; interests, rules and filters go by it. Empty: it is in no category's lists."),
        "brand": _("Who makes it; interests, rules and filters go by it. Empty: none."),
        "parent": _("Of a variant the product that lists show for it. Empty: it is shown itself."),
        "price": _("Of one piece, in the currency below. Empty: not known, and no filter by price finds it."),
        "currency": _("Three letters, as in USD or CNY."),
        "visible": _("Whether lists and the search may show it; what was recorded of it stays either way."),
        "available_from": _("From when on it may be shown. Empty: at once."),
        "available_until": _("Until when it may be shown. Empty: for good."),
        "attributes": _(
            'JSON of what else is known, as in {"colour": "green", "tags": ["new"]}; rules go by the tags.'
        ),
    }
    ordering = ("title",)
    actions = ("show", "hide")
    fieldsets = (
        (None, {"fields": ("title", "sku", "description", "category", "brand", "parent")}),
        (_("Offer"), {"fields": ("price", "currency", "stock", "visible", "available_from", "available_until")}),
        (_("More"), {"fields": ("attributes", "languages", "public_id", "created_at", "updated_at", "deleted_at")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a product that is deleted takes its events along; hide it instead."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"currency": reco_settings().CURRENCY, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        services.save_product(product=obj, changed=form.changed_data if change else None)

    @display(description=_("price"), ordering="price")
    def money(self, product: Product) -> str:
        return "-" if product.price is None else f"{product.price} {product.currency}"

    @display(description=_("translations"))
    def languages(self, product: Product) -> str:
        """What it is called elsewhere; one query."""
        told = product.translations.order_by("language") if product.pk else ()
        return "; ".join(f"{each.language}: {each.title}" for each in told) or "-"

    @display(description=_("shown"), boolean=True, ordering="visible")
    def shown(self, product: Product) -> bool:
        return product.open

    @admin.action(description=_("Show in lists"), permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._told(request, services.set_visibility(products=list(queryset), visible=True))

    @admin.action(description=_("Hide from lists"), permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._told(request, services.set_visibility(products=list(queryset), visible=False))

    def _told(self, request: HttpRequest, n: int) -> None:
        messages.success(request, ngettext("%(n)s product changed.", "%(n)s products changed.", n) % {"n": n})


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {Category: CategoryAdmin, Brand: BrandAdmin, Product: ProductAdmin}
