"""What staff did, for those who answer for it."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin

from .models import StaffAction


class StaffActionAdmin(EndlessAdmin):
    list_display = ("at", "who", "what", "row", "told", "why", "via")
    list_filter = ("what", ("who", admin.AllValuesFieldListFilter), ("model", admin.AllValuesFieldListFilter), "at")
    search_fields = ("who", "name", "=object_id")
    search_help_text = _("Who it was, or the name or number of a row")
    ordering = ("-pk",)
    fields = ("at", "who", "what", "row", "told", "why", "via")
    readonly_fields = ("row", "told")

    @display(description=_("row"))
    def row(self, action: StaffAction) -> SafeString | str:
        """What it was done to, as a link where that has a page."""
        kind = _called(action.model)
        text = f"{kind} {action.name or action.object_id}".strip() or "-"
        try:
            address = reverse(
                f"{self.admin_site.name}:{action.model.replace('.', '_')}_change", args=(action.object_id,)
            )
        except NoReverseMatch:
            return text
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, text)

    @display(description=_("changes"))
    def told(self, action: StaffAction) -> SafeString | str:
        """Each field that changed, before and after."""
        fields = _labels(action.model)
        pairs = [(fields.get(name, name), *map(_said, values)) for name, values in action.changes.items()]
        return format_html_join("; ", "{}: {} → {}", pairs) if pairs else "-"


def _called(label: str) -> str:
    try:
        return capfirst(str(apps.get_model(label)._meta.verbose_name)) if label else ""
    except LookupError:
        return label


def _labels(label: str) -> dict[str, str]:
    try:
        fields = apps.get_model(label)._meta.get_fields() if label else ()
    except LookupError:
        return {}
    return {field.name: str(getattr(field, "verbose_name", field.name)) for field in fields}


def _said(value: Any) -> str:
    return "–" if value is None else str(value)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {StaffAction: StaffActionAdmin}
