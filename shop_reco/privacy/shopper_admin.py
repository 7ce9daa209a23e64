"""Exporting and erasing a shopper who asked staff instead of the shop's pages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display

from shop_reco.staff.audit import note
from shop_reco.staff.forms import ProofForm
from shop_reco.users.admin import ShopperAdmin as PlainShopperAdmin
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import linked_ids
from shop_reco.users.services import note_read

from .errors import NoExportError, ShopperGoneError
from .exports import fetch_export, request_export
from .models import Export
from .personal import personal_tables
from .services import erase_shopper

SESSION = "reco_exports"
"""Key in a session of the exports that its owner asked for and did not fetch yet: by shopper, the export's number."""
ERASE, EXPORT = "reco_staff.erase_shopper", "reco_staff.export_shopper"


class ShopperAdmin(PlainShopperAdmin):
    readonly_fields = (*PlainShopperAdmin.readonly_fields, "data")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:pk>/export/", wrap(self.export), name="reco_users_shopper_export"),
            path("<int:pk>/erase/", wrap(sensitive_post_parameters()(self.erase)), name="reco_users_shopper_erase"),
        ]
        return [*ours, *super().get_urls()]

    @display(description=_("all that is known"))
    def data(self, shopper: Shopper) -> SafeString | str:
        """The ways to the two pages, for those who may use them."""
        reader: Any = getattr(shopper, "seen_by", None)
        ways = [
            (self.address(page, shopper.pk), label)
            for page, label, permission in (
                ("export", gettext("Export"), EXPORT), ("erase", gettext("Erase for good"), ERASE),
            )
            if reader is not None and reader.has_perm(permission)
        ]  # fmt: skip
        link = '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>'
        return format_html('<span class="flex flex-wrap gap-4">{}</span>', format_html_join("", link, ways)) or "-"

    def export(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Asks for a reason, then hands out the file; one that takes longer is fetched here when a worker made it."""
        shopper = self._asked_for(request, pk, EXPORT)
        waiting = self._waiting(request, shopper)
        form = ProofForm(request, request.POST if request.method == "POST" else None)
        if form.is_valid():
            why = form.cleaned_data["why"]
            with transaction.atomic():
                note(by=request.user, what="export", row=shopper, why=why)
                note_read(shopper_id=shopper.pk, staff=request.user, what="export", why=why)
            if waiting is None:
                waiting = request_export(shopper=shopper).export
                self._keep(request, shopper, waiting)
            if waiting.ready_at is not None:
                return self._file(request, shopper, waiting)
            messages.success(request, gettext("The export is being made; come back to this page for it."))
            return HttpResponseRedirect(request.path)
        content = {
            "title": gettext("Export what is known of %(shopper)s") % {"shopper": shopper},
            "text": _state(waiting),
            "button": gettext("Export"),
        }
        return self._page(request, shopper, form, content)

    def erase(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        shopper = self._asked_for(request, pk, ERASE)
        form = ProofForm(request, request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                with transaction.atomic():
                    note(by=request.user, what="erase", row=shopper, why=form.cleaned_data["why"])
                    receipt = erase_shopper(shopper=shopper)
            except ShopperGoneError:
                raise Http404 from None
            text = gettext("All that was known is erased; the receipt is %(receipt)s.") % {"receipt": receipt}
            messages.success(request, text)
            return self.back_to_list()
        content = {
            "title": gettext("Erase %(shopper)s") % {"shopper": shopper},
            "text": gettext("This deletes all that is known of the shopper, and cannot be undone:"),
            "button": gettext("Erase for good"),
            "final": True,
        }
        return self._page(request, shopper, form, content)

    def _asked_for(self, request: HttpRequest, pk: int, permission: str) -> Shopper:
        if not (self.has_view_permission(request) and request.user.has_perm(permission)):
            raise PermissionDenied
        shopper: Shopper | None = self.get_object(request, str(pk))
        if shopper is None:
            raise Http404
        return shopper

    def _page(self, request: HttpRequest, shopper: Shopper, form: ProofForm, content: dict[str, Any]) -> Any:
        ids = linked_ids(shopper=shopper)
        tables = [(each.model._meta.verbose_name_plural, each.rows(shopper_ids=ids)) for each in personal_tables()]
        context = {
            **self.admin_site.each_context(request),
            **content,
            "counts": [(name, n) for name, n in ((name, rows.count()) for name, rows in tables) if n],
            "form": form,
            "here": request.get_full_path(),
            "back": self.address("change", shopper.pk),
        }
        return TemplateResponse(request, "shop_reco/admin/shopper_data.html", context)

    def _waiting(self, request: HttpRequest, shopper: Shopper) -> Export | None:
        """The export that this person asked for and did not fetch yet."""
        number = request.session.get(SESSION, {}).get(str(shopper.pk))
        return Export.objects.filter(pk=number, shopper=shopper, used_at__isnull=True).first() if number else None

    def _keep(self, request: HttpRequest, shopper: Shopper, export: Export | None) -> None:
        held = {name: number for name, number in request.session.get(SESSION, {}).items() if name != str(shopper.pk)}
        request.session[SESSION] = {**held, str(shopper.pk): export.pk} if export else held

    def _file(self, request: HttpRequest, shopper: Shopper, export: Export) -> HttpResponseBase:
        self._keep(request, shopper, None)
        try:
            file = fetch_export(export=export)
        except NoExportError:
            messages.warning(request, gettext("The export was fetched already; ask for a new one."))
            return HttpResponseRedirect(request.path)
        name = f"shopper-{shopper.public_id.hex[:8]}.zip"
        return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


def _state(export: Export | None) -> str:
    if export is None:
        return gettext("One file with all that is known of the shopper:")
    if export.ready_at is None:
        return gettext("The export is being made: %(done)s%%.") % {"done": round(100 * export.progress)}
    return gettext("The export is ready:")
