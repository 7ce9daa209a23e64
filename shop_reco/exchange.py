"""Tables of the admin that go out to spreadsheets and come back, where django-import-export is installed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpResponseRedirect

from shop_reco.staff.audit import note


def exchanging(base: type[ModelAdmin[Any]], resource: str) -> type[ModelAdmin[Any]]:
    """The same admin with import and export through ``resource``, named by its path; unchanged where there is none."""
    if not apps.is_installed("import_export"):
        return base
    from django.utils.module_loading import import_string
    from import_export.admin import ImportExportMixin
    from import_export.formats.base_formats import CSV, XLSX
    from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm

    class Exchanging(ImportExportMixin, base):  # type: ignore[misc, valid-type]
        resource_classes = (import_string(resource),)
        import_form_class, export_form_class = ImportForm, SelectableFieldsExportForm
        formats = import_formats = export_formats = (CSV, XLSX)

        def process_result(self, result: Any, request: Any) -> Any:
            rows = {name: [None, n] for name, n in result.totals.items() if n}
            note(by=request.user, what="import", row=None, changes=rows)
            return super().process_result(result, request)

        def export_action(self, request: Any) -> Any:
            try:
                return super().export_action(request)
            except IncorrectLookupParameters:
                return HttpResponseRedirect(request.path)

        def has_import_permission(self, request: Any) -> bool:
            return bool(self.has_add_permission(request) and self.has_change_permission(request))

        def has_export_permission(self, request: Any) -> bool:
            return bool(self.has_view_permission(request))

    return Exchanging
