"""What staff see of events."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from .models import DataImport, Event, RejectedEvent


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EventAdmin(ReadOnlyAdmin):
    list_display = ("type", "shopper", "product", "occurred_at", "channel")
    list_filter = ("type", "channel")
    list_select_related = ("shopper", "product")


class RejectedEventAdmin(ReadOnlyAdmin):
    list_display = ("code", "message", "received_at", "replayed_at")
    list_filter = ("code",)


class DataImportAdmin(ReadOnlyAdmin):
    list_display = ("source", "shift_weeks", "started_at", "finished_at")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Event: EventAdmin,
    RejectedEvent: RejectedEventAdmin,
    DataImport: DataImportAdmin,
}
