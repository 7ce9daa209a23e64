"""Proof of what was erased, which names nobody, and the pages that export and erase a shopper."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import ReadOnlyAdmin, figures
from shop_reco.users.models import Shopper

from .models import ErasureReceipt
from .personal import personal_tables
from .receipts import sessions_cleared
from .shopper_admin import ShopperAdmin


class ErasureReceiptAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "erased_at", "rows")
    fields = ("public_id", "erased_at", "removed", "learnt", "previous_sha256", "sha256")
    readonly_fields = ("public_id", "removed", "learnt")
    ordering = ("-pk",)

    @display(description=_("rows removed"))
    def rows(self, receipt: ErasureReceipt) -> int:
        return sum(receipt.counts.values())

    @display(description=_("rows removed, by table"))
    def removed(self, receipt: ErasureReceipt) -> SafeString:
        names: dict[str, Any] = {table.name: table.model._meta.verbose_name_plural for table in personal_tables()}
        names |= {
            "shopper": Shopper._meta.verbose_name_plural,
            "sessions": _("sessions"),
            "failures": _("task failures"),
        }
        cleared = sessions_cleared(receipt=receipt)
        later = {
            "sessions": _("still being cleared") if cleared is None else receipt.counts.get("sessions", 0) + cleared
        }
        return figures(receipt.counts | later, names=names)

    @display(description=_("model versions that had learnt from the shopper"))
    def learnt(self, receipt: ErasureReceipt) -> str:
        return ", ".join(str(version)[:8] for version in receipt.versions) or "-"


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {ErasureReceipt: ErasureReceiptAdmin, Shopper: ShopperAdmin}
