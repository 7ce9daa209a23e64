"""Training runs while they run and after, and the versions that came of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import ReadOnlyAdmin, bar, button, figures, posted

from .. import services
from ..errors import ReasonMissingError, VersionGoneError
from ..models import ModelVersion, TrainingRun
from ..selectors import reported_runs, unfinished_runs
from .cleaning import SHOWN, chart_of_runs, report_of
from .comparison import sections_of
from .recommenders import STATE_COLOURS
from .verdicts import promotion_text, run_text, verdict_text

FIGURES = {
    "interactions": _("interactions"),
    "shoppers": _("shoppers"),
    "items": _("items"),
    "catalogue_revision": _("changes of the catalogue"),
    "seconds": _("seconds"),
    "settings": _("settings found"),
}
RESOURCES = {
    "processor_s": _("seconds of processor"),
    "clock_s": _("seconds of the clock"),
    "peak_mb": _("peak memory in MB"),
}
UNFINISHED = (TrainingRun.State.QUEUED, TrainingRun.State.RUNNING)


class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("recommender", "work", "how", "phase", "how_far", "requested_at", "took", "ended", "buttons")
    list_filter = ("state", "recommender")
    list_select_related = ("recommender", "version")
    list_before_template = "shop_reco/admin/runs_before.html"
    fields = (
        "recommender", "work", "state", "phase", "how_far", "loss", "ended", "told", "used", "requested_by",
        "requested_at", "started_at", "finished_at", "attempts", "cleaned",
    )  # fmt: skip
    readonly_fields = ("how_far", "ended", "told", "used", "cleaned")
    actions = ("cancel",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        runs = reported_runs(limit=SHOWN)
        report = report_of(runs[0], site=self.admin_site.name) if runs else {}
        told = {"unfinished": unfinished_runs(), "chart": chart_of_runs(runs), "report": report}
        return super().changelist_view(request, {**told, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        name = "reco_recommendations_trainingrun_cancel"
        cancel = path("<int:pk>/cancel/", self.admin_site.admin_view(self.post_cancel), name=name)
        return [cancel, *super().get_urls()]

    @display(description=_("state"), label=STATE_COLOURS, ordering="state")
    def how(self, run: TrainingRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=_("progress"))
    def how_far(self, run: TrainingRun) -> SafeString:
        return bar(run.progress)

    @display(description=_("took"))
    def took(self, run: TrainingRun) -> str:
        if run.started_at is None or run.finished_at is None:
            return "-"
        return gettext("%(n).1f s") % {"n": (run.finished_at - run.started_at).total_seconds()}

    @display(description=_("why"))
    def ended(self, run: TrainingRun) -> str:
        return run_text(run) or "-"

    @display(description=_("log"))
    def told(self, run: TrainingRun) -> SafeString | str:
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', run.log) if run.log else "-"

    @display(description=_("resources"))
    def used(self, run: TrainingRun) -> SafeString:
        return figures(run.resources, names=RESOURCES)

    @display(description=_("cleaning"))
    def cleaned(self, run: TrainingRun) -> SafeString:
        report = report_of(run, site=self.admin_site.name)
        return render_to_string("shop_reco/admin/cleaning_report.html", {"report": report})

    @display(description=_("actions"))
    def buttons(self, run: TrainingRun) -> SafeString | str:
        if run.state not in UNFINISHED:
            return ""
        return button(self.address("cancel", run.pk), gettext("Cancel"))

    @posted
    def post_cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        services.cancel_run(run=get_object_or_404(TrainingRun, pk=pk))
        messages.success(request, gettext("The run is cancelled; what serves now goes on serving."))
        return self.back_to_list()

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        for run in queryset:
            services.cancel_run(run=run)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)


class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "how", "promoted_at", "created_at", "watermark", "weight", "judged")
    list_filter = ("state", "recommender")
    list_select_related = ("recommender",)
    fields = (
        "recommender", "public_id", "state", "judged", "comparison", "history", "measured", "recipe", "watermark",
        "weight", "manifest_sha256", "run", "created_at", "promoted_at", "pruned_at", "overrule",
    )  # fmt: skip
    readonly_fields = ("public_id", "judged", "comparison", "history", "measured", "weight", "overrule")

    class Media:
        js = ("shop_reco/admin.js",)

    def get_urls(self) -> list[URLPattern]:
        name = "reco_recommendations_modelversion_promote"
        promote = path("<int:pk>/promote/", self.admin_site.admin_view(self.post_promote), name=name)
        return [promote, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The way past the gate is for those who may use it."""
        return self.fields if self.may_change(request) else [name for name in self.fields if name != "overrule"]

    @posted
    def post_promote(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion, pk=pk)
        try:
            services.promote_by_staff(version=version, by=request.user, why=request.POST.get("why", ""))
        except ReasonMissingError:
            messages.error(request, gettext("Say why this version should serve; the reason is kept with it."))
        except VersionGoneError:
            messages.error(request, gettext("Its artifact was deleted; train its recipe anew."))
        else:
            messages.success(request, gettext("%(version)s serves now.") % {"version": version})
            self.log_change(request, version, gettext("%(version)s serves now.") % {"version": version})
        return HttpResponseRedirect(self.address("change", pk))

    @display(description=_("verdict"))
    def judged(self, version: ModelVersion) -> str:
        return verdict_text(version.gate) or "-"

    @display(description=_("comparison"))
    def comparison(self, version: ModelVersion) -> SafeString:
        return render_to_string("shop_reco/admin/comparison.html", {"sections": sections_of(version.gate)})

    @display(description=_("promotions"))
    def history(self, version: ModelVersion) -> SafeString | str:
        told = version.promotions.select_related("person")
        lines = ((promotion.decided_at, promotion.get_decided_by_display(), promotion) for promotion in told)
        rows = [
            (
                localize(localtime(at)),
                gettext("went live") if promotion.went_live else gettext("did not go live"),
                f"{by}, {promotion.person}" if promotion.person else by,
                promotion_text(promotion),
            )
            for at, by, promotion in lines
        ]
        return format_html_join("", "<p>{}: {} ({}) {}</p>", rows) if rows else "-"

    @display(description=_("overrule the gate"))
    def overrule(self, version: ModelVersion) -> SafeString | str:
        """A form of its own, outside the page's."""
        if version.state == ModelVersion.State.LIVE:
            return gettext("It serves.")
        if version.pruned_at is not None:
            return gettext("Its artifact was deleted; train its recipe anew.")
        told = {"address": self.address("promote", version.pk), "version": version}
        return render_to_string("shop_reco/admin/overrule.html", told)

    @display(
        description=_("state"),
        label={"live": "success", "candidate": "info", "retired": "default", "rejected": "danger"},
        ordering="state",
    )
    def how(self, version: ModelVersion) -> tuple[str, str]:
        return version.state, version.get_state_display()

    @display(description=_("size"), ordering="size")
    def weight(self, version: ModelVersion) -> str:
        return filesizeformat(version.size)

    @display(description=_("figures"))
    def measured(self, version: ModelVersion) -> SafeString:
        return figures(version.figures, names=FIGURES)
