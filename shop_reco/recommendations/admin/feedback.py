"""What shoppers said of their lists, and what staff think of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, button, link_to, posted, row

from .. import services
from ..models import Feedback, Slate
from .review import ReviewPages


class FeedbackAdmin(ReviewPages, EndlessAdmin):
    list_before_template = "shop_reco/admin/feedback_before.html"
    list_display = ("said", "product_page", "shopper_page", "given_at", "reviewed", "reviewed_by", "buttons")
    list_filter = ("kind", "review", ("product", AutocompleteSelectFilter), ("shopper", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("product", "shopper", "reviewed_by")
    search_fields = ("product__title", "=shopper__external_id")
    actions = ("accept", "dismiss")
    fields = (
        "kind", "product_page", "shopper_page", "slate_page", "given_at", "review", "reviewed_by", "reviewed_at",
    )  # fmt: skip
    readonly_fields = ("product_page", "shopper_page", "slate_page")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tabs = self.tabs("changelist")
        return super().changelist_view(request, {"tabs": tabs, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        name = "reco_recommendations_feedback_review"
        review = path("<int:pk>/review/", self.admin_site.admin_view(self.post_review), name=name)
        return [review, *super().get_urls()]

    @display(description=_("said"), ordering="kind")
    def said(self, feedback: Feedback) -> str:
        return feedback.get_kind_display()

    @display(description=_("product"))
    def product_page(self, feedback: Feedback) -> SafeString | str:
        return link_to(self, feedback.product)

    @display(description=_("shopper"))
    def shopper_page(self, feedback: Feedback) -> SafeString | str:
        return link_to(self, feedback.shopper)

    @display(description=_("list"))
    def slate_page(self, feedback: Feedback) -> SafeString | str:
        """The list that it answers, while that is kept."""
        slate = Slate.objects.filter(pk=feedback.slate_id).first() if feedback.slate_id else None
        if slate is None:
            return "-"
        address = reverse(f"{self.admin_site.name}:reco_recommendations_slate_change", args=(slate.pk,))
        return format_html('<a class="text-primary-600" href="{}">{}</a>', address, slate)

    @display(
        description=_("review"),
        label={"open": "info", "accepted": "success", "dismissed": "default"},
        ordering="review",
    )
    def reviewed(self, feedback: Feedback) -> tuple[str, str]:
        return feedback.review, feedback.get_review_display()

    @display(description=_("actions"))
    def buttons(self, feedback: Feedback) -> SafeString:
        address = self.address("review", feedback.pk)
        verdicts = {
            Feedback.Review.ACCEPTED: gettext("Accept"),
            Feedback.Review.DISMISSED: gettext("Dismiss"),
        }
        return row(
            *(
                button(address, label, name="verdict", value=verdict)
                for verdict, label in verdicts.items()
                if verdict != feedback.review
            )
        )

    @posted
    def post_review(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        if request.POST.get("verdict") not in Feedback.Review.values:
            return HttpResponseBadRequest(gettext("The verdict is unknown."))
        feedback = get_object_or_404(Feedback, pk=pk)
        services.review_feedback(feedback=[feedback], verdict=request.POST["verdict"], by=request.user)
        return self.back_to_list()

    @admin.action(description=_("Accept"), permissions=["review"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> None:
        self._review(request, queryset, Feedback.Review.ACCEPTED)

    @admin.action(description=_("Dismiss"), permissions=["review"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> None:
        self._review(request, queryset, Feedback.Review.DISMISSED)

    def _review(self, request: HttpRequest, queryset: QuerySet[Feedback], verdict: str) -> None:
        n = services.review_feedback(feedback=queryset, verdict=verdict, by=request.user)
        messages.success(request, ngettext("%(n)s answer reviewed.", "%(n)s answers reviewed.", n) % {"n": n})

    def has_review_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)
