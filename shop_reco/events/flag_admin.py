"""Flags with their evidence; staff clear those that a person was behind."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, button, figures, link_to, posted
from shop_reco.products.models import Product

from . import flags
from .models import ShopperFlag
from .selectors import flags_by_rule

EVIDENCE = {
    "seconds": _("within, seconds"),
    "acts": _("acts"),
    "most": _("a person's most"),
    "ended": _("until"),
    "began": _("from"),
    "product": _("product"),
    "events": _("events on it"),
    "other_events": _("other events"),
    "shoppers": _("such shoppers"),
    "expected": _("to be expected"),
    "deviations": _("deviations"),
}


class ShopperFlagAdmin(EndlessAdmin):
    list_display = ("shopper_page", "rule", "proof", "raised_at", "how", "buttons")
    list_filter = ("rule", ("cleared_at", admin.EmptyFieldListFilter))
    list_select_related = ("shopper",)
    search_fields = ("=shopper__external_id",)
    search_help_text = _("The shop's id of a shopper")
    ordering = ("-pk",)
    list_before_template = "shop_reco/admin/flags_before.html"
    fields = ("shopper_page", "rule", "proof", "raised_at", "cleared_at", "cleared_by")
    readonly_fields = ("shopper_page", "proof")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShopperFlag]:
        pushed = Cast(KeyTextTransform("product", "evidence"), BigIntegerField())
        titles = Product.objects.filter(pk=OuterRef("pushed")).values("title")[:1]
        return super().get_queryset(request).annotate(pushed=pushed).annotate(product_title=Subquery(titles))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        names, told = dict(ShopperFlag.Rule.choices), flags_by_rule()
        most = max((open_ + cleared for _rule, open_, cleared in told), default=0) or 1
        bars = [
            {
                "name": names[rule], "open": open_, "cleared": cleared,
                "width": round(100 * open_ / most, 2), "cleared_width": round(100 * cleared / most, 2),
            }
            for rule, open_, cleared in told
        ]  # fmt: skip
        return super().changelist_view(request, {"bars": bars, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        name = "reco_events_shopperflag_clear"
        return [path("<int:pk>/clear/", self.admin_site.admin_view(self.post_clear), name=name), *super().get_urls()]

    @display(description=_("shopper"))
    def shopper_page(self, flag: ShopperFlag) -> SafeString | str:
        return link_to(self, flag.shopper)

    @display(description=_("evidence"))
    def proof(self, flag: Any) -> SafeString:
        title = getattr(flag, "product_title", None)
        return figures({**flag.evidence, **({"product": title} if title else {})}, names=EVIDENCE)

    @display(description=_("state"), label={"force": "danger", "cleared": "success"}, ordering="cleared_at")
    def how(self, flag: ShopperFlag) -> tuple[str, str]:
        return ("cleared", gettext("Cleared")) if flag.cleared_at else ("force", gettext("In force"))

    @display(description=_("actions"))
    def buttons(self, flag: ShopperFlag) -> SafeString | str:
        return "" if flag.cleared_at else button(self.address("clear", flag.pk), gettext("Clear"))

    @posted
    def post_clear(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        flag = get_object_or_404(ShopperFlag, pk=pk)
        if flags.clear_flag(flag=flag, by=request.user):
            messages.success(request, gettext("The flag is cleared; the next training learns from the shopper again."))
            self.log_change(request, flag, gettext("Cleared"))
        return self.back_to_list()
