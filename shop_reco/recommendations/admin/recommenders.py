"""The switchboard: one row a recommender, with its switch, its training and its way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import KeptAdmin, button, posted, row
from shop_reco.staff.audit import note

from .. import services
from ..errors import NothingToRollBackError
from ..models import ModelVersion, Recommender, TrainingRun
from ..selectors import earlier_versions, live_version, recommenders, unfinished_runs
from .cards import blend_rows, cards, decisions, progress
from .versus import versus

WENT_LIVE = {"state": [ModelVersion.State.RETIRED, ModelVersion.State.LIVE]}
STATE_COLOURS = {"queued": "info", "running": "warning", "done": "success", "failed": "danger", "cancelled": "default"}


def may_cancel(user: Any) -> bool:
    """Whether somebody of the staff may end trainings."""
    return bool(user.has_perm("reco_recommendations.change_trainingrun"))


def may_train(user: Any) -> bool:
    """Whether somebody of the staff may start trainings."""
    return bool(user.has_perm("reco_recommendations.add_trainingrun"))


class RecommenderAdmin(KeptAdmin):
    list_display = ("name", "switch", "live_since", "last_training", "buttons")
    list_display_links = None
    list_before_template = "shop_reco/admin/recommenders_before.html"
    actions = ("switch_on", "switch_off", "train", "go_back")

    class Media:
        js = ("shop_reco/admin.js", "shop_reco/progress.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recommender]:
        mine = {"recommender": OuterRef("pk")}
        runs = TrainingRun.objects.filter(**mine).order_by("-requested_at", "-pk")
        versions = ModelVersion.objects.filter(**mine)
        return (
            super()
            .get_queryset(request)
            .annotate(
                run_state=Subquery(runs.values("state")[:1]),
                run_at=Subquery(runs.values("requested_at")[:1]),
                promoted_at=Subquery(versions.filter(state=ModelVersion.State.LIVE).values("promoted_at")[:1]),
                can_go_back=Exists(versions.filter(state=ModelVersion.State.RETIRED)),
            )
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list has all the switches; a recommender has no page of its own to save."""
        return obj is None and super().has_change_permission(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Whoever may start a training has that button, and no other."""
        names = super().get_list_display(request)
        return [*names, "buttons"] if may_train(request.user) and "buttons" not in names else names

    def has_train_permission(self, request: HttpRequest) -> bool:
        return may_train(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_change = self.may_change(request)
        told = {
            "train_all": self.address("train_all") if may_train(request.user) else "",
            "may_train": may_train(request.user),
            "may_change": may_change,
            "may_cancel": may_cancel(request.user),
            "blend": blend_rows(),
            "cards": cards(recommenders(), may_change=may_change),
            "decisions": decisions(),
            "progress_address": self.address("progress"),
        }
        return super().changelist_view(request, {**told, **(extra_context or {})})

    def progress(self, request: HttpRequest) -> JsonResponse:
        """How far trainings are, for the page to ask every two seconds."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(progress(), headers={"Cache-Control": "no-store"})

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path("progress/", wrap(self.progress), name=self._name("progress")),
            path("<slug:kind>/compare/", wrap(self.compare), name=self._name("compare")),
            path("<slug:kind>/cancel/", wrap(self.post_cancel), name=self._name("cancel")),
            path("train-all/", wrap(self.post_train_all), name=self._name("train_all")),
            path("<slug:kind>/switch/", wrap(self.post_switch), name=self._name("switch")),
            path("<slug:kind>/train/", wrap(self.post_train), name=self._name("train")),
            path("<slug:kind>/go-back/", wrap(self.post_go_back), name=self._name("go_back")),
        ]
        return [*ours, *super().get_urls()]

    def compare(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Two versions side by side; the lists are for those who may decide which of them serves."""
        if not (self.has_view_permission(request) and request.user.has_perm("reco_recommendations.view_modelversion")):
            raise PermissionDenied
        recommender = get_object_or_404(Recommender, pk=kind)
        told = versus(
            recommender,
            one=request.GET.get("one", ""),
            other=request.GET.get("other", ""),
            with_lists=self.may_change(request),
        )
        may_promote = request.user.has_perm("reco_recommendations.change_modelversion")
        title = gettext("Two versions of %(kind)s") % {"kind": recommender}
        context = {**self.admin_site.each_context(request), "title": title, "may_promote": may_promote, **told}
        return TemplateResponse(request, "shop_reco/admin/versus.html", context)

    def _name(self, page: str) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}_{page}"

    @display(description=_("recommender"), ordering="kind")
    def name(self, recommender: Recommender) -> str:
        return str(recommender)

    @display(description=_("state"), label={"on": "success", "off": "danger"}, ordering="enabled")
    def switch(self, recommender: Recommender) -> tuple[str, str]:
        return ("on", gettext("On")) if recommender.enabled else ("off", gettext("Off"))

    @display(description=_("serving since"))
    def live_since(self, recommender: Any) -> str:
        return localize(localtime(recommender.promoted_at)) if recommender.promoted_at else gettext("never trained")

    @display(description=_("last training"), label=STATE_COLOURS)
    def last_training(self, recommender: Any) -> tuple[str, str] | str:
        state = recommender.run_state
        return (state, f"{TrainingRun.State(state).label}, {localize(localtime(recommender.run_at))}") if state else ""

    @display(description=_("actions"))
    def buttons(self, recommender: Any) -> SafeString:
        kind, on, reader = recommender.kind, recommender.enabled, recommender.seen_by
        may_switch, shown = reader.has_perm("reco_recommendations.change_recommender"), []
        if may_switch:
            text = gettext("Switch off") if on else gettext("Switch on")
            shown.append(button(self.address("switch", kind), text, name="enabled", value="0" if on else "1"))
        if may_train(reader):
            shown.append(button(self.address("train", kind), gettext("Train now")))
        if may_switch and recommender.can_go_back:
            shown.append(button(self.address("go_back", kind), gettext("Roll back")))
        return row(*shown)

    @posted
    def post_switch(self, request: HttpRequest, kind: str) -> HttpResponse:
        recommender = self._asked_for(request, kind)
        self._switch(request, recommender, request.POST.get("enabled") == "1")
        return self._back_to(recommender)

    @posted
    def post_train(self, request: HttpRequest, kind: str) -> HttpResponse:
        if not may_train(request.user):
            raise PermissionDenied
        recommender = get_object_or_404(Recommender, pk=kind)
        self._train(request, recommender)
        return self._back_to(recommender)

    @posted
    def post_go_back(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Asks for a reason where none came along."""
        recommender = self._asked_for(request, kind)
        if (asked := self._why_back(request, [recommender])) is not None:
            return asked
        self._go_back(request, recommender, why=request.POST.get("why", ""))
        return self._back_to(recommender)

    @posted
    def post_cancel(self, request: HttpRequest, kind: str) -> HttpResponse:
        if not may_cancel(request.user):
            raise PermissionDenied
        recommender = get_object_or_404(Recommender, pk=kind)
        for run in unfinished_runs():
            if run.recommender_id == recommender.kind:
                services.cancel_run(run=run)
                messages.success(request, gettext("The run is cancelled; what serves now goes on serving."))
        return self._back_to(recommender)

    @posted
    def post_train_all(self, request: HttpRequest) -> HttpResponse:
        if not may_train(request.user):
            raise PermissionDenied
        with transaction.atomic():
            for run in services.request_all(by=request.user):
                note(by=request.user, what="train", row=run)
        messages.success(request, gettext("Every recommender is queued for training."))
        return self.back_to_list()

    def _asked_for(self, request: HttpRequest, kind: str) -> Recommender:
        if not self.may_change(request):
            raise PermissionDenied
        return get_object_or_404(Recommender, pk=kind)

    def _back_to(self, recommender: Recommender) -> HttpResponse:
        """The list, at the card of the recommender: what was pressed shows there."""
        return HttpResponseRedirect(f"{self.address('changelist')}#reco-{recommender.kind}")

    def _why_back(self, request: HttpRequest, chosen: Iterable[Recommender]) -> HttpResponse | None:
        """The page that asks why these go back, with what would serve then; None where the answer came along."""
        rows = [
            (each, live_version(kind=each.kind), next(iter(earlier_versions(kind=each.kind)), None)) for each in chosen
        ]
        if request.POST.get("why", "").strip() or not any(earlier for _each, _live, earlier in rows):
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Serve the version before this one?"),
            "rows": rows,
            "action": request.POST.get("action", ""),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox": ACTION_CHECKBOX_NAME,
            "select_across": request.POST.get("select_across", "0"),
            "here": request.get_full_path(),
            "back": self.address("changelist"),
            "blank": "why" in request.POST,
        }
        return TemplateResponse(request, "shop_reco/admin/go_back.html", context)

    def _switch(self, request: HttpRequest, recommender: Recommender, enabled: bool) -> None:
        services.set_enabled(kind=recommender.kind, enabled=enabled)
        text = gettext("%(kind)s is on.") if enabled else gettext("%(kind)s is off.")
        messages.success(request, text % {"kind": recommender} + " " + gettext("The next list already knows."))
        self.log_change(request, recommender, text % {"kind": recommender})

    def _train(self, request: HttpRequest, recommender: Recommender) -> None:
        with transaction.atomic():
            note(by=request.user, what="train", row=services.request_training(kind=recommender.kind, by=request.user))
        messages.success(request, gettext("%(kind)s is queued for training.") % {"kind": recommender})

    def _go_back(self, request: HttpRequest, recommender: Recommender, *, why: str = "") -> None:
        try:
            with transaction.atomic():
                version = services.roll_back(kind=recommender.kind, by=request.user, why=why)
                note(by=request.user, what="go_back", row=version, changes=WENT_LIVE, why=why)
        except NothingToRollBackError:
            messages.warning(request, gettext("%(kind)s has no earlier version.") % {"kind": recommender})
            return
        messages.success(request, gettext("%(version)s serves now.") % {"version": version})
        self.log_change(request, version, gettext("%(version)s serves now.") % {"version": version})

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            self._switch(request, recommender, True)

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            self._switch(request, recommender, False)

    @admin.action(description=_("Train now"), permissions=["train"])
    def train(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> None:
        for recommender in queryset:
            self._train(request, recommender)

    @admin.action(description=_("Roll back to the version before"), permissions=["change"])
    def go_back(self, request: HttpRequest, queryset: QuerySet[Recommender]) -> HttpResponse | None:
        if (asked := self._why_back(request, queryset)) is not None:
            return asked
        for recommender in queryset:
            self._go_back(request, recommender, why=request.POST.get("why", ""))
        return None
