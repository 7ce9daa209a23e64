"""Where staff switch recommenders, retrain, roll back, and review what shoppers said."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from . import services
from .errors import NothingToRollBackError
from .models import Feedback, ModelVersion, Placement, Recommender, Rule, Slate, TrainingRun


class KeptAdmin(ModelAdmin):
    """Rows that only services write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(KeptAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecommenderAdmin(KeptAdmin):
    list_display = ("kind", "enabled", "changed_at")
    readonly_fields = ("kind",)
    actions = ("switch_on", "switch_off", "train", "roll_back")

    def save_model(self, request: HttpRequest, obj: Recommender, form: Any, change: bool) -> None:
        services.set_enabled(kind=obj.kind, enabled=obj.enabled)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            services.set_enabled(kind=recommender.kind, enabled=True)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            services.set_enabled(kind=recommender.kind, enabled=False)

    @admin.action(description=_("Train now"), permissions=["change"])
    def train(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            services.request_training(kind=recommender.kind, by=request.user)
        messages.success(request, gettext("Training is queued; see Training runs."))

    @admin.action(description=_("Roll back to the version before"), permissions=["change"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            try:
                services.roll_back(kind=recommender.kind)
            except NothingToRollBackError as error:
                messages.warning(request, str(error))


class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("recommender", "state", "phase", "progress", "requested_at", "finished_at", "why")
    list_filter = ("state", "recommender")
    list_select_related = ("recommender",)
    actions = ("cancel",)

    @admin.action(description=_("Cancel"), permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        if not request.user.has_perm("reco_recommendations.change_trainingrun"):
            messages.error(request, gettext("You may not cancel training runs."))
            return
        for run in queryset:
            services.cancel_run(run=run)


class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("recommender", "state", "created_at", "promoted_at", "size")
    list_filter = ("state", "recommender")
    list_select_related = ("recommender",)


class PlacementAdmin(ModelAdmin):
    list_display = ("key", "title", "strategy")


class RuleAdmin(ModelAdmin):
    list_display = ("action", "placement", "product", "category", "brand", "points", "active")
    list_select_related = ("placement", "product", "category", "brand")
    autocomplete_fields = ("product", "category", "brand")


class SlateAdmin(ReadOnlyAdmin):
    list_display = ("id", "placement", "rung", "shopper", "served_at")
    list_filter = ("placement", "rung")
    list_select_related = ("shopper",)


class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ("kind", "product", "shopper", "review", "given_at")
    list_filter = ("kind", "review")
    list_select_related = ("product", "shopper")
    actions = ("accept", "dismiss")

    @admin.action(description=_("Accept"), permissions=["review"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> None:
        services.review_feedback(feedback=queryset, verdict=Feedback.Review.ACCEPTED, by=request.user)

    @admin.action(description=_("Dismiss"), permissions=["review"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> None:
        services.review_feedback(feedback=queryset, verdict=Feedback.Review.DISMISSED, by=request.user)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("reco_recommendations.change_feedback")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    Recommender: RecommenderAdmin,
    TrainingRun: TrainingRunAdmin,
    ModelVersion: ModelVersionAdmin,
    Placement: PlacementAdmin,
    Rule: RuleAdmin,
    Slate: SlateAdmin,
    Feedback: FeedbackAdmin,
}
