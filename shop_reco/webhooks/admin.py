"""Who reports by webhooks, and what they delivered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from shop_reco.admin_base import EndlessAdmin, KeptAdmin, figures
from shop_reco.users.models import Consent

from . import services, sources
from .models import WebhookDelivery, WebhookSource


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The secret is written here and never read."""

    purposes = forms.MultipleChoiceField(
        choices=Consent.Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=_("consent it may claim"),
        help_text=_("What the shop's customers allowed there. Empty: only shoppers who consented here are followed."),
    )
    new_secret = forms.CharField(
        required=False,
        strip=True,
        min_length=sources.SHORTEST_SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        label=_("new secret"),
        help_text=_("Shopify names its own: put it here. Empty: a new source gets one made, an old one keeps its own."),
    )

    class Meta:
        model = WebhookSource
        fields = ("name", "kind", "purposes", "currency", "time_zone", "prefix", "enabled")

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"])
        try:
            sources.check_source(purposes=(), time_zone=zone)
        except ValueError as error:
            raise forms.ValidationError(gettext("No such time zone; as in Europe/Berlin.")) from error
        return zone


class WebhookSourceAdmin(KeptAdmin):
    list_display = ("name", "kind", "enabled", "address", "both_secrets", "rotated_at")
    readonly_fields = ("address", "rotated_at", "created_at")
    ordering = ("name",)
    help_texts = {
        "name": _("What staff call the shop that reports here."),
        "kind": _("Whose deliveries they are, which says how they are signed and read; it cannot be changed later."),
        "enabled": _("Whether deliveries are taken. Off: each is refused, and the sender may try again later."),
    }
    form = SourceForm
    actions = ("make_new_secret", "end_previous", "enable", "disable")
    fieldsets = (
        (None, {"fields": ("name", "kind", "enabled", "address", "new_secret", "rotated_at")}),
        (_("What its reports mean"), {"fields": ("purposes", "currency", "time_zone", "prefix")}),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reco_webhooks.add_webhooksource")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "kind") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: WebhookSource, form: Any, change: bool) -> None:
        given = form.cleaned_data
        secret = given.get("new_secret") or ""
        names = ("name", "purposes", "currency", "time_zone", "prefix")
        if not change:
            source, plain = sources.create_source(
                kind=given["kind"], secret=secret, **{name: given[name] for name in names}
            )
            obj.pk, obj.key, obj.secret = source.pk, source.key, source.secret
            if not secret:
                self._show(request, plain)
            return
        sources.change_source(source=obj, enabled=given["enabled"], **{name: given[name] for name in names})
        if secret:
            sources.rotate_secret(source=obj, secret=secret)

    def _show(self, request: HttpRequest, plain: str) -> None:
        messages.warning(request, gettext("The secret, shown this once: %(secret)s") % {"secret": plain})

    @display(description=_("address"))
    def address(self, source: WebhookSource) -> str:
        if not source.pk:
            return "-"
        try:
            return reverse("shop_reco_webhooks:webhook", args=[source.key])
        except NoReverseMatch:
            return f"…/{source.key}/"

    @display(description=_("two secrets"), boolean=True)
    def both_secrets(self, source: WebhookSource) -> bool:
        return bool(source.previous_secret)

    @admin.action(description=_("Make a new secret; the old one is taken too"), permissions=["change"])
    def make_new_secret(self, request: HttpRequest, queryset: QuerySet[WebhookSource]) -> None:
        for source in queryset:
            self._show(request, sources.rotate_secret(source=source))

    @admin.action(description=_("Take the old secret no longer"), permissions=["change"])
    def end_previous(self, request: HttpRequest, queryset: QuerySet[WebhookSource]) -> None:
        for source in queryset:
            sources.end_previous_secret(source=source)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[WebhookSource]) -> None:
        for source in queryset:
            sources.set_enabled(source=source, enabled=True)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[WebhookSource]) -> None:
        for source in queryset:
            sources.set_enabled(source=source, enabled=False)


class WebhookDeliveryAdmin(EndlessAdmin):
    list_display = ("received_at", "source", "topic", "condition", "code", "why", "repeats")
    list_filter = ("state", "source", "code")
    list_select_related = ("source",)
    search_fields = ("=delivery_id",)
    ordering = ("-received_at",)
    fields = (
        "source", "delivery_id", "topic", "condition", "code", "why", "told", "repeats", "received_at", "handled_at",
    )  # fmt: skip
    readonly_fields = ("condition", "told")
    actions = ("replay",)

    @display(
        description=_("state"),
        label={"done": "success", "ignored": "info", "failed": "danger", "refused": "warning"},
        ordering="state",
    )
    def condition(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.state, delivery.get_state_display()

    @display(description=_("report"))
    def told(self, delivery: WebhookDelivery) -> SafeString:
        return figures(delivery.report, names={})

    @admin.action(description=_("Try again"), permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        answers = [services.replay_delivery(delivery=delivery) for delivery in queryset]
        done = sum(answer.content["state"] == "done" for answer in answers)
        text = ngettext(
            "%(done)s of %(all)s delivery is done now.", "%(done)s of %(all)s deliveries are done now.", len(answers)
        ) % {"done": done, "all": len(answers)}
        messages.success(request, text) if done else messages.warning(request, text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    WebhookSource: WebhookSourceAdmin,
    WebhookDelivery: WebhookDeliveryAdmin,
}
