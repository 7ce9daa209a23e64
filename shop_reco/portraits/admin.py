"""What staff see of portraits."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from .models import Portrait, PortraitEdit


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PortraitAdmin(ReadOnlyAdmin):
    list_display = ("shopper", "n_events", "drawn_at")
    search_fields = ("shopper__external_id",)
    list_select_related = ("shopper",)


class PortraitEditAdmin(ReadOnlyAdmin):
    list_display = ("shopper", "action", "kind", "key")
    list_select_related = ("shopper",)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {Portrait: PortraitAdmin, PortraitEdit: PortraitEditAdmin}
