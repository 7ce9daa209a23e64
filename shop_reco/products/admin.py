"""What staff see of products."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from . import services
from .models import Brand, Category, Product


class CategoryAdmin(ModelAdmin):
    list_display = ("path", "sensitive")
    search_fields = ("path",)
    list_filter = ("sensitive",)
    autocomplete_fields = ("parent",)


class BrandAdmin(ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)


class ProductAdmin(ModelAdmin):
    list_display = ("title", "sku", "category", "brand", "price", "stock", "visible")
    search_fields = ("title", "sku")
    list_filter = ("visible",)
    list_select_related = ("category", "brand")
    autocomplete_fields = ("category", "brand", "parent")
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        services.save_product(product=obj)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {Category: CategoryAdmin, Brand: BrandAdmin, Product: ProductAdmin}
