"""What staff see of users."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from .models import ApiKey, Consent, Shopper, ShopperLink


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShopperAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "age_band", "region", "created_at")
    search_fields = ("external_id",)


class ShopperLinkAdmin(ReadOnlyAdmin):
    list_display = ("visitor", "account", "linked_at", "undone_at")
    list_select_related = ("visitor", "account")


class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("shopper", "purpose", "granted", "source", "decided_at", "superseded_at")
    list_filter = ("purpose", "granted")
    list_select_related = ("shopper",)


class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "created_at", "revoked_at")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Shopper: ShopperAdmin,
    ShopperLink: ShopperLinkAdmin,
    Consent: ConsentAdmin,
    ApiKey: ApiKeyAdmin,
}
