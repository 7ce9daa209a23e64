"""What staff see of privacy."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from .models import ErasureReceipt


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ErasureReceiptAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "erased_at")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {ErasureReceipt: ErasureReceiptAdmin}
